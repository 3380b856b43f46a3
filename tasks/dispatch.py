"""The dispatcher on Celery: best effort, bounded in time, never raising."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from celery.exceptions import CeleryError
from celery.result import denied_join_result
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from tasks import canvas
from workflow_service.services.ports import Dispatch

log = logging.getLogger(__name__)

#: what a dead or frozen broker or result backend makes of a publish (RuntimeError: its retries ran out)
_LOST = (KombuError, CeleryError, RedisError, OSError, RuntimeError)


class CeleryDispatcher:
    """Sends segments as canvases."""

    def dispatch(self, dispatches: Sequence[Dispatch]) -> None:
        """Send segments; what can't be sent now is dispatched by the sweep."""
        for dispatch in dispatches:
            try:
                with denied_join_result():  # nobody waits for results here, so nobody subscribes to them
                    canvas.build(dispatch).apply_async()
            except _LOST as error:
                log.warning("not sent, the sweep will: %s", type(error).__name__,
                            extra={"execution_id": dispatch.execution_id})
