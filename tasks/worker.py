"""The application of a worker process.

It is built on first use, in the process that uses it: a forked child shares no connection with its parent.
"""

from __future__ import annotations

import atexit
import os
from threading import Lock

from celery.signals import setup_logging, worker_process_shutdown, worker_shutdown

from tasks.dispatch import CeleryDispatcher
from workflow_service.background import Background
from workflow_service.bootstrap import Application, build
from workflow_service.config import load_settings
from workflow_service.logs import configure_logging


class WorkerProcess:
    """The application of one process with its threads."""

    def __init__(self) -> None:
        """Nothing is built yet."""
        self._lock = Lock()
        self._pid: int | None = None
        self._application: Application | None = None
        self._background: Background | None = None

    def application(self) -> Application:
        """Return the application of this process; the first call builds it and starts its threads."""
        with self._lock:
            if self._application is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._application = build(load_settings(), CeleryDispatcher())
                self._background = Background(self._application.engine)
                self._background.start()
            return self._application

    def stop(self) -> None:
        """End the threads; what was gathered is finished first."""
        if self._background is not None and self._pid == os.getpid():
            self._background.stop()


process = WorkerProcess()
"""This process. Nothing happens until somebody asks for its application."""


@setup_logging.connect
def _log_as_json(**_: object) -> None:
    configure_logging()


@worker_shutdown.connect
@worker_process_shutdown.connect
def _stop(**_: object) -> None:
    process.stop()


atexit.register(process.stop)
