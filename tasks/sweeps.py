"""Tasks of Celery beat: each one sweep of one kind of document."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tasks import names
from tasks.app import app
from tasks.worker import process
from workflow_service.domain.errors import WorkflowServiceError
from workflow_service.services.engine import Engine
from workflow_service.services.sweeps import Sweeps

log = logging.getLogger(__name__)


@app.task(name=names.SWEEP_BLOCKS)
def blocks() -> None:
    """Repair blocks."""
    _sweep(Sweeps.sweep_blocks)


@app.task(name=names.SWEEP_EXECUTIONS)
def executions() -> None:
    """Repair executions."""
    _sweep(Sweeps.sweep_executions)


@app.task(name=names.SWEEP_WAITS)
def waits() -> None:
    """Repair waits and ask agents again."""
    _sweep(Sweeps.sweep_waits)


@app.task(name=names.SWEEP_APPROVALS)
def approvals() -> None:
    """Escalate overdue approvals and deliver decisions."""
    _sweep(Sweeps.sweep_approvals)


@app.task(name=names.SWEEP_CHECKPOINTS)
def checkpoints() -> None:
    """Bring waiting checkpoints to the State Management Service."""
    _sweep(Sweeps.sweep_checkpoints)


@app.task(name=names.FOLLOW_STATE_CHANGES)
def state_changes() -> None:
    """Act on change notifications of the State Management Service."""
    _bounded(lambda engine: engine.state_changes.follow())


def _sweep(sweep: Callable[[Sweeps], int]) -> None:
    _bounded(lambda engine: sweep(engine.sweeps))


def _bounded(repair: Callable[[Engine], int]) -> None:
    """Repair once; if a store or service is away the next time tries again."""
    try:
        repair(process.application().engine)
    except WorkflowServiceError as error:
        log.warning("left to the next sweep: %s", error)
