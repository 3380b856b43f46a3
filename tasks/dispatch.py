"""The dispatcher on Celery: best effort, bounded in time, never raising."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tasks import canvas
from workflow_service.services.ports import Dispatch

log = logging.getLogger(__name__)


class CeleryDispatcher:
    """Sends segments as canvases."""

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Send segments; what can't be sent now is dispatched by the sweep."""
        return all([_send(dispatch) for dispatch in dispatches])


def _send(dispatch: Dispatch) -> bool:
    try:
        canvas.build(dispatch).apply_async()
        return True
    except Exception as error:  # each transport and backend fails in its own way, and none of them matters here
        log.warning("not sent, the sweep will: %s", type(error).__name__, extra={"execution_id": dispatch.execution_id})
        return False
