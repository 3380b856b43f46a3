"""Starting executions, while the workers run what was started."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from benchmarks.client import Client
from benchmarks.figures import StartFigures
from benchmarks.loads import Effort, Send, together
from benchmarks.models import start_body
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.mongo import executions
from workflow_service.repositories.mongo.connection import Store

EFFORT = Effort(duration=timedelta(seconds=10))
_ENDED_WITHIN = timedelta(seconds=120)
_POLL_S = 1.0
_UNDER_WAY = [status.value for status in ExecutionStatus if not status.is_terminal]


def measure_starts(store: Store, new_client: Callable[[], Client], clients: int) -> StartFigures:
    """Start executions for a while, then wait until all of them have ended."""
    with ExitStack() as stack:
        senders = [_sender(stack, new_client) for _ in range(clients)]
        began = time.monotonic()
        run = together(senders, EFFORT)
    ended = _wait_until_ended(store)
    return StartFigures(clients=clients, latency=run.latency, per_second=run.per_second,
                        ended_per_second=run.succeeded / (time.monotonic() - began) if ended else None)


def _sender(stack: ExitStack, new_client: Callable[[], Client]) -> Send:
    client = new_client()
    stack.callback(client.close)
    return lambda: client.post("/executions", start_body()).ok


def _wait_until_ended(store: Store) -> bool:
    """Say whether all executions ended in time."""
    deadline = time.monotonic() + _ENDED_WITHIN.total_seconds()
    while store.collection(executions.COLLECTION).find_one({"status": {"$in": _UNDER_WAY}}, {"_id": 1}) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
