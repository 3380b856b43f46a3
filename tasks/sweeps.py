"""Tasks of Celery beat: each one sweep of one kind of document.

A sweep that is behind another of its kind by less than half the interval has nothing to do and does nothing. That
empties a queue in which sweeps have piled up at once. They have no time of expiry instead, because that would be
written by the clock of one machine and read by the clock of another: a worker whose clock is ahead would drop them all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from tasks import names
from tasks.app import app
from tasks.worker import process
from workflow_service.domain.errors import WorkflowServiceError
from workflow_service.metrics.catalogue import SWEEP_DOCUMENTS, SWEEP_DURATION, SWEEPS_FAILED
from workflow_service.services.engine import Engine
from workflow_service.services.sweeps import Sweeps

log = logging.getLogger(__name__)


class Pace:
    """When each sweep of this process began last."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Measure by this clock, in seconds."""
        self._monotonic = monotonic
        self._began_s: dict[str, float] = {}

    def lets(self, name: str) -> bool:
        """Say whether a sweep is to be made now, and remember it if so."""
        now_s, every_s = self._monotonic(), app.conf.beat_schedule[name]["schedule"].seconds
        if now_s - self._began_s.get(name, -every_s) < every_s / 2:
            return False
        self._began_s[name] = now_s
        return True


pace = Pace()
"""Of this process."""


@app.task(name=names.SWEEP_BLOCKS)
def blocks() -> None:
    """Repair blocks."""
    _sweep(names.SWEEP_BLOCKS, Sweeps.sweep_blocks)


@app.task(name=names.SWEEP_EXECUTIONS)
def executions() -> None:
    """Repair executions."""
    _sweep(names.SWEEP_EXECUTIONS, Sweeps.sweep_executions)


@app.task(name=names.SWEEP_WAITS)
def waits() -> None:
    """Repair waits and ask agents again."""
    _sweep(names.SWEEP_WAITS, Sweeps.sweep_waits)


@app.task(name=names.SWEEP_APPROVALS)
def approvals() -> None:
    """Escalate overdue approvals and deliver decisions."""
    _sweep(names.SWEEP_APPROVALS, Sweeps.sweep_approvals)


@app.task(name=names.SWEEP_CHECKPOINTS)
def checkpoints() -> None:
    """Bring waiting checkpoints to the State Management Service."""
    _sweep(names.SWEEP_CHECKPOINTS, Sweeps.sweep_checkpoints)


@app.task(name=names.FOLLOW_STATE_CHANGES)
def state_changes() -> None:
    """Act on change notifications of the State Management Service."""
    _bounded(names.FOLLOW_STATE_CHANGES, lambda engine: engine.state_changes.follow())


def _sweep(name: str, sweep: Callable[[Sweeps], int]) -> None:
    _bounded(name, lambda engine: sweep(engine.sweeps))


def _bounded(name: str, repair: Callable[[Engine], int]) -> None:
    """Repair once; if a store or service is away the next time tries again."""
    if not pace.lets(name):
        return
    application, began_s = process.application(), time.monotonic()
    metrics, kind = application.metrics, name.rpartition(".")[2]
    try:
        metrics.count(SWEEP_DOCUMENTS, kind, by=repair(application.engine))
    except WorkflowServiceError as error:
        metrics.count(SWEEPS_FAILED, kind)
        log.warning("left to the next sweep: %s", error)
    metrics.observe(SWEEP_DURATION, time.monotonic() - began_s, kind)
