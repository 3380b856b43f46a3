"""One run of one template version: its value and every change that it can go through.

As with blocks, each transition returns a new version with its event, and is stored only on top of the version that
was read. ``slots`` and ``slot_queue`` alone change beside the versions, by one update each.

``holds`` is a set of names (operator, restart, workspace, service): nothing new starts while there is one, each is
lifted by its own name only, and every hold and lift grows ``hold_number``. ``generation`` grows with whatever can open
or end blocks from outside (restart, cancel, map); who wants to close the execution has read it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.events import Event
from workflow_service.domain.statuses import EXECUTION_TRANSITIONS, ExecutionStatus, check

OPERATOR_HOLD = "operator"
"""The hold of a person who paused the execution."""
RESTART_HOLD = "restart"
"""The hold of a restart that is under way."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The right of one claim to run beside the others of its execution."""

    block_id: str
    fence: int


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of one template version."""

    workspace_id: str
    execution_id: str
    template_id: str
    template_version: str
    created_by: str
    created_at: datetime
    input: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    status: ExecutionStatus = ExecutionStatus.PENDING
    version: int = 0
    generation: int = 1
    holds: tuple[str, ...] = ()
    hold_number: int = 0
    slots: tuple[Slot, ...] = ()
    slot_queue: tuple[str, ...] = ()
    """Ready blocks that wait for a slot; whoever frees one sends the first."""
    restart_targets: Mapping[str, int] | None = None
    """The restart under way: block id -> the epoch that it is to reach; None for none."""
    remaining: timedelta | None = None
    """What is left of the time-out, counted while the execution is not parked as a whole."""
    deadline: datetime | None = None
    """When the time-out is over if nothing parks; None while it stands still."""
    due_at: datetime | None = None
    """When the sweep must look again."""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: Mapping[str, Any] | None = None
    """Why it failed or was cancelled."""
    outbox: tuple[Event, ...] = ()

    @property
    def may_start_blocks(self) -> bool:
        """True when a claimed block may go on."""
        return not self.holds and self.status in (ExecutionStatus.RUNNING, ExecutionStatus.WAITING)


def start(execution: Execution, at: datetime) -> Execution:
    """Open the execution: all its blocks are stored."""
    running = replace(execution, started_at=at)
    return _change(_clock_started(running, at), "execution_started", ExecutionStatus.RUNNING, at, cause="created")


def rest(execution: Execution, at: datetime) -> Execution:
    """Show that nothing can run because all is parked; the time-out stands still."""
    return _change(_clock_stopped(execution, at), "execution_waiting", ExecutionStatus.WAITING, at, cause="all_parked")


def rise(execution: Execution, at: datetime) -> Execution:
    """Show that something runs again; the time-out goes on."""
    return _change(_clock_started(execution, at), "execution_resumed", ExecutionStatus.RUNNING, at,
                   cause="block_started")


def hold(execution: Execution, name: str, at: datetime) -> Execution:
    """Let nothing new start; an operator's hold shows as pausing, and the time-out stands still."""
    held = replace(execution, holds=tuple(sorted({*execution.holds, name})), hold_number=execution.hold_number + 1)
    if name != OPERATOR_HOLD or execution.status in (ExecutionStatus.PAUSING, ExecutionStatus.PAUSED):
        return _record(held, "execution_held", at, execution.status, cause=name)
    return _change(_clock_stopped(held, at), "execution_pausing", ExecutionStatus.PAUSING, at, cause=name)


def paused(execution: Execution, at: datetime) -> Execution:
    """Show that the hold is complete: nothing runs any more."""
    return _change(execution, "execution_paused", ExecutionStatus.PAUSED, at, cause="nothing_runs")


def lift(execution: Execution, name: str, at: datetime) -> Execution:
    """Take one hold away."""
    lifted = replace(execution, holds=tuple(hold for hold in execution.holds if hold != name),
                     hold_number=execution.hold_number + 1)
    if name == OPERATOR_HOLD and execution.status in (ExecutionStatus.PAUSING, ExecutionStatus.PAUSED):
        return _change(_clock_started(lifted, at), "execution_resumed", ExecutionStatus.RUNNING, at, cause=name)
    return _record(lifted, "execution_lifted", at, execution.status, cause=name)


def cancel(execution: Execution, at: datetime, error: Mapping[str, Any] | None, cause: str) -> Execution:
    """End the execution: what runs may end, nothing else starts; a restart under way is given up.

    Args:
        error: why, if it is a failure (a time-out); None when somebody asked for it.
    """
    stopped = replace(execution, generation=execution.generation + 1, deadline=None, error=error, restart_targets=None,
                      holds=tuple(hold for hold in execution.holds if hold != RESTART_HOLD))
    return _change(stopped, "execution_cancelling", ExecutionStatus.CANCELLING, at, cause=cause)


def close(execution: Execution, status: ExecutionStatus, error: Mapping[str, Any] | None, at: datetime) -> Execution:
    """End the execution for good: every block of it has ended."""
    ended = replace(execution, completed_at=at, deadline=None, error=error, holds=(), slots=(), slot_queue=())
    return _change(ended, f"execution_{status.value}", status, at, cause="all_blocks_ended")


def begin_restart(execution: Execution, targets: Mapping[str, int], timeout: timedelta, at: datetime) -> Execution:
    """Write down which blocks are to reach which epoch, and hold the execution meanwhile.

    Args:
        timeout: for the execution from now on, if it had ended.
    """
    opened = replace(execution, restart_targets=dict(targets), generation=execution.generation + 1,
                     hold_number=execution.hold_number + 1, holds=tuple(sorted({*execution.holds, RESTART_HOLD})),
                     completed_at=None, error=None)
    if not execution.status.is_terminal:
        return _record(opened, "execution_restarting", at, execution.status, cause="restart")
    return _change(_clock_started(replace(opened, remaining=timeout), at), "execution_restarting",
                   ExecutionStatus.RUNNING, at, cause="restart")


def end_restart(execution: Execution, at: datetime) -> Execution:
    """Take the restart's intent and its hold away."""
    done = replace(execution, restart_targets=None, generation=execution.generation + 1)
    return lift(done, RESTART_HOLD, at)


def at_rest(execution: Execution, at: datetime, again_after: timedelta) -> Execution:
    """Return the execution as it is when its events are relayed.

    The sweep looks again at one that runs, or is in the middle of something: it may be able to close, all of it may be
    parked, or its time-out may be over. Nobody needs to look at one that waits, is paused, or has ended.
    """
    if needs_sweep(execution):
        return replace(execution, due_at=at + again_after)
    if execution.status is not ExecutionStatus.RUNNING:
        return replace(execution, due_at=None)
    return replace(execution, due_at=min(execution.deadline or at + again_after, at + again_after))


def needs_sweep(execution: Execution) -> bool:
    """Say whether the execution is in the middle of something that the sweep has to bring to its end."""
    unfinished = (ExecutionStatus.PENDING, ExecutionStatus.PAUSING, ExecutionStatus.CANCELLING)
    return execution.status in unfinished or execution.restart_targets is not None


def _clock_stopped(execution: Execution, at: datetime) -> Execution:
    """Let the time-out stand still."""
    if execution.deadline is None:
        return execution
    return replace(execution, remaining=max(execution.deadline - at, timedelta(milliseconds=1)), deadline=None)


def _clock_started(execution: Execution, at: datetime) -> Execution:
    """Let the time-out go on from what is left of it."""
    return replace(execution, deadline=at + execution.remaining if execution.remaining else None)


def _change(execution: Execution, event_type: str, status: ExecutionStatus, at: datetime, cause: str) -> Execution:
    check(EXECUTION_TRANSITIONS, "execution", execution.execution_id, execution.status, status)
    return _record(replace(execution, status=status), event_type, at, execution.status, cause)


def _record(execution: Execution, event_type: str, at: datetime, previous: ExecutionStatus, cause: str) -> Execution:
    event = Event(type=event_type, workspace_id=execution.workspace_id, execution_id=execution.execution_id,
                  source=execution.execution_id, version=execution.version + 1, at=at,
                  payload={"from": previous.value, "cause": cause, **replayed(execution)})
    return replace(execution, version=execution.version + 1, outbox=(*execution.outbox, event), due_at=at)


def replayed(execution: Execution) -> dict[str, Any]:
    """Return what the events of an execution, replayed, give of it (JSON)."""
    return {"status": execution.status.value, "generation": execution.generation, "holds": list(execution.holds),
            "holdNumber": execution.hold_number, "error": execution.error}
