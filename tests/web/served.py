"""A web process for tests: the real service in memory, with a worker of its own, as gunicorn serves it."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Thread

from flask import Flask

from tests.web.real_service import HandWorker, a_real_service
from web.app import create_app
from web.streams import Streams
from workflow_service.bootstrap import Application

SECRET = "not-a-secret-only-a-test-of-secrets-that-is-long-enough-for-HS512"
_PACE = timedelta(milliseconds=50)


def start() -> Flask:
    """Build the service and its HTTP edge, and start the worker."""
    worker = HandWorker()
    application = a_real_service(SECRET, worker)
    Thread(target=_work, args=(worker, application), daemon=True).start()
    return create_app(application, Streams(pace=_PACE, heartbeat=2 * _PACE))


def _work(worker: HandWorker, application: Application) -> None:
    while True:
        worker.work(application)
        time.sleep(_PACE.total_seconds())
