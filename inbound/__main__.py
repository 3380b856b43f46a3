"""The process that serves the queue of messages: ``python -m inbound``."""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import timedelta
from functools import partial

from inbound.api import Api
from inbound.connection import connected
from inbound.consumer import Consumer
from inbound.handling import Handling
from inbound.inbox import BrokerUnfit
from tasks.app import app
from tasks.dispatch import CeleryDispatcher
from web.app import create_app
from workflow_service.background import Background
from workflow_service.bootstrap import build
from workflow_service.config import load_settings
from workflow_service.logs import configure_logging
from workflow_service.metrics.server import show_metrics

log = logging.getLogger(__name__)

_DRAINED_WITHIN = timedelta(seconds=1)


def main() -> int:
    """Serve until a signal comes; return the exit code."""
    configure_logging()
    settings, dispatcher = load_settings(), CeleryDispatcher()
    application = build(settings, dispatcher)
    background = Background(application.engine)
    consumer = Consumer(partial(connected, app), Handling(Api(create_app(application))))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stop())
    background.start()
    show_metrics(settings.metrics.host, settings.metrics.port, application.metrics.text)
    try:
        consumer.run()
        return os.EX_OK
    except BrokerUnfit as fault:
        log.critical("refused: %s", fault)
        return os.EX_CONFIG
    finally:
        background.stop()
        dispatcher.drain(_DRAINED_WITHIN)


if __name__ == "__main__":
    sys.exit(main())
