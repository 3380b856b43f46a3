"""Bare Celery canvases: chains, groups and chords of steps, with results in Valkey and nothing stored beside.

With their usual settings messages are acknowledged before the work is done, so a killed worker loses it; ``LATE`` in
the environment has them acknowledged afterwards, as the floor and the service do.
"""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery

from benchmarks.engine import addresses, counting
from benchmarks.engine.workloads import step_result

QUEUE = "canvas"
STEP = "canvas.step"
INSTANT = "canvas.instant"

app = Celery("canvas", broker=os.environ.get(addresses.BROKER), backend=os.environ.get(addresses.BROKER),
             set_as_current=False)
app.conf.update(task_default_queue=QUEUE, broker_connection_retry_on_startup=True)
if os.environ.get(addresses.LATE):
    app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)
counting.count_database_operations()


@app.task(name=STEP)  # type: ignore[untyped-decorator]  # Celery has no types
def step(previous: Any, number: int) -> dict[str, Any]:
    """Do one step; what came before is handed on by Celery."""
    return step_result(number)


@app.task(name=INSTANT)  # type: ignore[untyped-decorator]
def instant() -> float:
    """Return when it ran."""
    return time.time()
