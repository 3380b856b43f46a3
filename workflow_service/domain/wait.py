"""The wait: the record of what a parked block waits for. It is there before the block parks, and it fires once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.children import Round
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.events import Event
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.ids import wait_id
from workflow_service.domain.instants import instant_text
from workflow_service.domain.statuses import WAIT_TRANSITIONS, WaitKind, WaitStatus, check


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What one block execution waits for in one epoch."""

    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int
    kind: WaitKind
    revision: int = 0
    """Grows when the same thing is asked again within an epoch."""
    status: WaitStatus = WaitStatus.OPEN
    version: int = 0
    payload: Mapping[str, Any] | None = None
    """What it was fired with."""
    children: Round | None = None
    """How far the children have come that are waited for; None for all other kinds."""
    deadline: datetime | None = None
    """When a timer is over, or waiting for an agent or for signals is given up; None for never."""
    is_movable: bool = True
    """Whether the deadline moves with the time that deadlines of the execution stand still."""
    stopped_for: timedelta = timedelta(0)
    """How long, when the deadline was set, deadlines of the execution had stood still."""
    ask_at: datetime | None = None
    """When somebody has to look at it first: at an agent that took the work, at children that may not be there, or
    because the deadline is over."""
    signals: tuple[str, ...] = ()
    """The names of the signals that are waited for."""
    signal_mode: SignalMode = SignalMode.ANY
    """How many of them."""
    due_at: datetime | None = None
    """When the sweep must look: at a poll, a deadline, or because it fired and the block may not have been woken."""
    outbox: tuple[Event, ...] = ()

    @property
    def id(self) -> str:
        """The one possible id of this wait."""
        return wait_id(self.execution_id, self.block_id, self.epoch, self.kind.value, self.revision)


def wait_of(block: BlockExecution, kind: WaitKind, *, ask_at: datetime | None = None,
            deadline: datetime | None = None, stopped_for: timedelta = timedelta(0)) -> Wait:
    """Return the wait that a block has, or is to have, for this."""
    return Wait(workspace_id=block.workspace_id, execution_id=block.execution_id, block_id=block.block_id,
                epoch=block.epoch, kind=kind, revision=revision_of(block, kind), ask_at=ask_at, deadline=deadline,
                stopped_for=stopped_for)


def revision_of(block: BlockExecution, kind: WaitKind) -> int:
    """Return which wait of this kind it is: another one in each retry, for children in each round."""
    revisions = {WaitKind.AGENT: block.retry_count, WaitKind.SIGNAL: block.retry_count, WaitKind.CHILDREN: block.round}
    return revisions.get(kind, 0)


def moved_deadline(wait: Wait, stopped_for: timedelta) -> datetime | None:
    """Return the deadline by now; None for never. It moves with each time that deadlines of the execution stand still.

    Args:
        stopped_for: how long they have stood still in all.
    """
    if wait.deadline is None or not wait.is_movable:
        return wait.deadline
    return wait.deadline + (stopped_for - wait.stopped_for)


def is_too_late(wait: Wait, stopped_for: timedelta, at: datetime) -> bool:
    """Say whether the deadline is over.

    Args:
        stopped_for: how long deadlines of the execution have stood still in all.
    """
    deadline = moved_deadline(wait, stopped_for)
    return deadline is not None and deadline <= at


def time_is_over(kind: WaitKind, at: datetime) -> dict[str, Any]:
    """Return what a timer, or a wait for signals, fires with when its deadline is over (JSON)."""
    return {"firedAt": instant_text(at)} if kind is WaitKind.TIME else {"timedOut": True, "signals": {}}


def opened(wait: Wait, at: datetime) -> Wait:
    """Return a new wait with the event of its opening."""
    told: dict[str, Any] = {} if wait.deadline is None else {"until": instant_text(wait.deadline)}
    if wait.signals:
        told |= {"signals": list(wait.signals), "mode": wait.signal_mode.value}
    return _record(replace(wait, due_at=at), "wait_opened", at, **told)


def fire(wait: Wait, payload: Mapping[str, Any], at: datetime) -> Wait:
    """Record what was waited for."""
    status = check(WAIT_TRANSITIONS, "wait", wait.id, wait.status, WaitStatus.FIRED)
    return _record(replace(wait, status=status, payload=dict(payload), due_at=at), "wait_fired", at)


def count(wait: Wait, children: Round, at: datetime) -> Wait:
    """Record how far the children have come."""
    if wait.status is not WaitStatus.OPEN:
        raise IllegalTransition("wait", wait.id, wait.status.value, WaitStatus.OPEN.value)
    return _record(replace(wait, children=children, due_at=at), "wait_counted", at)


def cancel(wait: Wait, at: datetime) -> Wait:
    """End the wait: its epoch or its execution is over."""
    status = check(WAIT_TRANSITIONS, "wait", wait.id, wait.status, WaitStatus.CANCELLED)
    return _record(replace(wait, status=status, due_at=at), "wait_cancelled", at)


def at_rest(wait: Wait) -> Wait:
    """Return the wait as it is when its block is parked, or was woken."""
    is_watched = wait.status is WaitStatus.OPEN and not (wait.children is not None and wait.children.begun)
    return replace(wait, due_at=wait.ask_at if is_watched else None)


def _record(wait: Wait, event_type: str, at: datetime, **told: Any) -> Wait:
    """Return the changed wait as a new version with its event.

    Args:
        told: what else the event says.
    """
    event = Event(type=event_type, workspace_id=wait.workspace_id, execution_id=wait.execution_id,
                  block_id=wait.block_id, source=wait.id, version=wait.version + 1, at=at,
                  payload={"status": wait.status.value, "kind": wait.kind.value, "epoch": wait.epoch, **_counted(wait),
                           **told})
    return replace(wait, version=wait.version + 1, outbox=(*wait.outbox, event))


def _counted(wait: Wait) -> dict[str, int]:
    return {} if wait.children is None else {"parts": wait.children.total, "failed": len(wait.children.failed)}
