"""The application of a worker process.

It is built on first use, in the process that uses it: a forked child shares no connection with its parent.
"""

from __future__ import annotations

import atexit
import os
from datetime import timedelta
from threading import Lock, Thread

from celery.signals import setup_logging, worker_process_shutdown, worker_ready, worker_shutdown, worker_shutting_down

from tasks.dispatch import CeleryDispatcher
from tasks.ending import Ending
from workflow_service.background import Background
from workflow_service.bootstrap import Application, build
from workflow_service.config import MetricsSettings, load_settings
from workflow_service.logs import configure_logging
from workflow_service.metrics.registry import Registry
from workflow_service.metrics.server import show_metrics

_DRAINED_WITHIN = timedelta(seconds=1)


class WorkerProcess:
    """The application of one process with its threads."""

    def __init__(self) -> None:
        """Nothing is built yet."""
        self._lock = Lock()
        self._pid: int | None = None
        self._application: Application | None = None
        self._background: Background | None = None
        self._dispatcher: CeleryDispatcher | None = None
        self._ending: Ending | None = None
        self._is_told = False
        self._metrics: Registry | None = None

    def application(self) -> Application:
        """Return the application of this process; the first call builds it and starts its threads."""
        with self._lock:
            if self._application is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._application = self._built()
                self._tell()  # the signal may have come meanwhile
            return self._application

    def metrics(self) -> Registry:
        """Return what this process has counted. A forked child goes on with what it got, and begins at its zero."""
        if self._metrics is None:
            self._metrics = Registry()
        return self._metrics

    def show_metrics(self, settings: MetricsSettings) -> None:
        """Give the metrics on a port, if one is set."""
        show_metrics(settings.host, settings.port, self.metrics().text)

    def begin_to_end(self) -> None:
        """Let no task go on with a next block, and the grace period begin; called by a signal handler."""
        self._is_told = True
        self._tell()

    def stop(self) -> None:
        """End the threads; what was gathered is finished first."""
        if self._background is not None and self._dispatcher is not None and self._pid == os.getpid():
            self._background.stop()
            self._dispatcher.drain(_DRAINED_WITHIN)

    def _tell(self) -> None:
        if self._is_told and self._application is not None and self._ending is not None and self._pid == os.getpid():
            self._application.engine.leases.end()
            self._ending.begin()

    def _built(self) -> Application:
        settings = load_settings()
        self._dispatcher = CeleryDispatcher()
        application = build(settings, self._dispatcher, self.metrics())
        self._background = Background(application.engine)
        self._background.start()
        self._ending = Ending(settings.workflow.stop_grace)
        Thread(target=self._ending.watch, args=(application.engine.handing_back, self.stop), name="ending",
               daemon=True).start()
        return application


process = WorkerProcess()
"""This process. Nothing happens until somebody asks for its application."""


@setup_logging.connect
def _log_as_json(**_: object) -> None:
    configure_logging()


@worker_ready.connect
def _show_metrics(**_: object) -> None:
    process.show_metrics(load_settings().metrics)


@worker_shutting_down.connect
def _begin_to_end(**_: object) -> None:
    process.begin_to_end()


@worker_shutdown.connect
@worker_process_shutdown.connect
def _stop(**_: object) -> None:
    process.stop()


atexit.register(process.stop)
