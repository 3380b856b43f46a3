"""A web process: what gunicorn imports in each of its workers, after the fork.

The only file of this folder that knows how work is sent. The service's background threads, which finish what follows a
request, run in this process too; they are ended, with their work done, when the process ends.
"""

from __future__ import annotations

import atexit

from flask import Flask

from tasks.dispatch import CeleryDispatcher
from web.app import create_app
from workflow_service.background import Background
from workflow_service.bootstrap import build
from workflow_service.config import load_settings
from workflow_service.logs import configure_logging
from workflow_service.metrics.figures import StoreFigures
from workflow_service.metrics.registry import Registry


def start() -> Flask:
    """Build the service and its HTTP edge, and start the service's threads."""
    configure_logging()
    dispatcher = CeleryDispatcher()
    application = build(load_settings(), dispatcher, Registry(), dispatcher.ping)
    if application.figures is not None:
        application.metrics.show_also(StoreFigures(application.figures))
    background = Background(application.engine)
    background.start()
    atexit.register(background.stop)
    return create_app(application)


app = start()
