"""The dispatcher on Celery: best effort, bounded in time, never raising."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from tasks import canvas
from tasks.app import app
from tasks.publisher import Publisher
from tasks.server_check import ask_broker
from workflow_service.services.ports import Dispatch

log = logging.getLogger(__name__)


class CeleryDispatcher:
    """Sends segments as canvases."""

    def __init__(self) -> None:
        """Connect to nothing yet."""
        self._publisher = Publisher(_send)

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Send segments; what can't be sent at once is sent later, or dispatched by the sweep."""
        return self._publisher.publish(dispatches) if dispatches else True

    def drain(self, within: timedelta) -> None:
        """Wait until what was to be sent has been tried, no longer than this."""
        self._publisher.drain(within)

    def ping(self) -> None:
        """Ask the broker for a sign of life, on a connection of its own; raises if there is none."""
        with app.connection_for_write() as connection:
            ask_broker(connection)


def _send(dispatch: Dispatch) -> bool:
    try:
        canvas.build(dispatch).apply_async()
        return True
    except Exception as error:  # each transport and backend fails in its own way, and none of them matters here
        log.warning("not sent, the sweep will: %s", type(error).__name__, extra={"execution_id": dispatch.execution_id})
        return False
