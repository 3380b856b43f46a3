"""One run of one template version: its value and every change that it can go through.

As with blocks, each transition returns a new version with its event, and is stored only on top of the version that
was read. ``slots`` and ``slot_queue`` alone change beside the versions, by one update each.

``holds`` is a set of names: nothing new starts while there is one, each is lifted by its own name only, and every hold
and lift grows ``hold_number``. Those of ``PAUSING_HOLDS`` show as pausing, then paused; the hold of a restart does not
show, and that of an agent keeps only this agent's blocks. A hold may stop the clock: then the time-out, and the
deadlines of what its blocks wait for, stand still. ``generation`` grows with whatever can open or end blocks from
outside (restart, cancel, map); who wants to close the execution has read it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.attributes import Attributes
from workflow_service.domain.children import Body, Parent
from workflow_service.domain.commands import CancelMode, ClockRule
from workflow_service.domain.events import Event
from workflow_service.domain.statuses import EXECUTION_TRANSITIONS, ExecutionStatus, check

OPERATOR_HOLD = "operator"
"""The hold of a person who paused the execution."""
RESTART_HOLD = "restart"
"""The hold of a restart that is under way."""
SERVICE_HOLD, WORKSPACE_HOLD, TEMPLATE_HOLD = "service", "workspace", "template"
"""Standing holds, for many executions at once."""
PARENT_HOLD = "parent"
"""The hold of a child whose parent is paused."""
_AGENT_HOLD = "agent:"
PAUSING_HOLDS = frozenset({OPERATOR_HOLD, SERVICE_HOLD, WORKSPACE_HOLD, TEMPLATE_HOLD, PARENT_HOLD})
"""The holds under which an execution is paused."""
_HELD = 16
"""So many times longer than at one that runs, the sweep waits before it looks at a held execution."""
LIFTED = frozenset({"execution_resumed", "execution_lifted"})
"""The types of events after which something may start again."""


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
    parent: Parent | None = None
    """The block that it is a part of; None for one that somebody started."""
    ancestors: tuple[str, ...] = ()
    """The ids of the executions that it is a part of, the outermost first."""
    body: Body | None = None
    """The one block that it runs; None for the whole template."""
    tags: tuple[str, ...] = ()
    """Those that the template had when it was started."""
    attributes: Attributes = field(default_factory=dict)
    """What it can be found by, as who started it said."""
    idempotency_key: str | None = None
    """With which it was started; its id is made from it then."""
    request_digest: str | None = None
    """Of the request that used the key; None without a key."""
    status: ExecutionStatus = ExecutionStatus.PENDING
    version: int = 0
    generation: int = 1
    holds: tuple[str, ...] = ()
    hold_number: int = 0
    clock_stopped_by: tuple[str, ...] = ()
    """Those of the holds that let deadlines stand still."""
    stopped_since: datetime | None = None
    """Since when they do; None while they do not."""
    stopped_for: timedelta = timedelta(0)
    """How long they stood still in all, until ``stopped_since``."""
    reason: str | None = None
    """Why an operator paused or cancelled it, or an end block ended it, in the words of the operator or author."""
    cancel_mode: CancelMode = CancelMode.GRACEFUL
    ended_by: str | None = None
    """``block:epoch`` of the end block that ended it; None if none did, or somebody cancelled it first."""
    slots: tuple[Slot, ...] = ()
    slot_queue: tuple[str, ...] = ()
    """Ready blocks that wait for a slot; whoever frees one sends the first."""
    restart_targets: Mapping[str, int] | None = None
    """The restart under way: block id -> the epoch that it is to reach; None for none."""
    restart_supplied: Mapping[str, Any] | None = None
    """Of those: block id -> what was supplied instead of its run (``output``, ``chosen``, ``by``)."""
    revoked: tuple[str, ...] = ()
    """What a restart that a cancel gave up was about to reset: each gets a new version before the execution may end."""
    withdrawing: Mapping[str, str] = field(default_factory=dict)
    """Blocks that it goes on without and that may not have ended yet -> why."""
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
    def is_held(self) -> bool:
        """True when no block at all may start."""
        return any(not name.startswith(_AGENT_HOLD) for name in self.holds)

    @property
    def may_start_blocks(self) -> bool:
        """True when a claimed block may go on, unless its agent is held."""
        return not self.is_held and self.status in (ExecutionStatus.RUNNING, ExecutionStatus.WAITING)

    def may_start(self, agent_id: str | None) -> bool:
        """Say whether a claimed block of this agent may go on."""
        return self.may_start_blocks and (agent_id is None or agent_hold(agent_id) not in self.holds)


def agent_hold(agent_id: str) -> str:
    """Return the name of the hold of an agent."""
    return f"{_AGENT_HOLD}{agent_id}"


def is_standing(name: str) -> bool:
    """Say whether a hold is one for many executions at once."""
    return name in (SERVICE_HOLD, WORKSPACE_HOLD, TEMPLATE_HOLD) or name.startswith(_AGENT_HOLD)


def start(execution: Execution, at: datetime) -> Execution:
    """Open the execution: all its blocks are stored. One that was held meanwhile is pausing at once."""
    # clocks of two processes may differ: nothing starts before it was asked for, or ends before it started
    running = _clock_started(replace(execution, started_at=max(at, execution.created_at)), at)
    started = _change(running, "execution_started", ExecutionStatus.RUNNING, at, cause="created")
    if PAUSING_HOLDS.isdisjoint(execution.holds):
        return started
    return _change(started, "execution_pausing", ExecutionStatus.PAUSING, at, cause="held")


def rest(execution: Execution, at: datetime) -> Execution:
    """Show that nothing can run because all is parked; the time-out stands still."""
    return _change(_clock_stopped(execution, at), "execution_waiting", ExecutionStatus.WAITING, at, cause="all_parked")


def rise(execution: Execution, at: datetime) -> Execution:
    """Show that something runs again; the time-out goes on."""
    return _change(_clock_started(execution, at), "execution_resumed", ExecutionStatus.RUNNING, at,
                   cause="block_started")


def hold(execution: Execution, name: str, at: datetime, *, clock: ClockRule = ClockRule.RUN,
         reason: str | None = None, by: str | None = None) -> Execution:
    """Let nothing new start; most holds show as pausing.

    Args:
        clock: whether deadlines stand still meanwhile.
        by: who wants it.
    """
    held = replace(execution, holds=tuple(sorted({*execution.holds, name})), hold_number=execution.hold_number + 1,
                   reason=reason if name == OPERATOR_HOLD else execution.reason)
    if clock is ClockRule.STOP:
        held = _clock_held(held, name, at)
    told = {"by": by, "clock": clock.value, "reason": reason}
    if name not in PAUSING_HOLDS or execution.status not in (ExecutionStatus.RUNNING, ExecutionStatus.WAITING):
        return _record(held, "execution_held", at, execution.status, cause=name, **told)
    return _change(held, "execution_pausing", ExecutionStatus.PAUSING, at, cause=name, **told)


def paused(execution: Execution, at: datetime) -> Execution:
    """Show that the hold is complete: nothing runs any more."""
    return _change(execution, "execution_paused", ExecutionStatus.PAUSED, at, cause="nothing_runs")


def lift(execution: Execution, name: str, at: datetime, by: str | None = None) -> Execution:
    """Take one hold away; the execution goes on when it was the last that paused it."""
    left = tuple(hold for hold in execution.holds if hold != name)
    lifted = _clock_lifted(replace(execution, holds=left, hold_number=execution.hold_number + 1,
                                   reason=None if name == OPERATOR_HOLD else execution.reason), name, at)
    if PAUSING_HOLDS.isdisjoint(left) and execution.status in (ExecutionStatus.PAUSING, ExecutionStatus.PAUSED):
        return _change(_clock_started(lifted, at), "execution_resumed", ExecutionStatus.RUNNING, at, cause=name, by=by)
    return _record(lifted, "execution_lifted", at, execution.status, cause=name, by=by)


def cancel(execution: Execution, at: datetime, error: Mapping[str, Any] | None, cause: str, *,
           mode: CancelMode = CancelMode.GRACEFUL, reason: str | None = None,
           ended_by: str | None = None) -> Execution:
    """End the execution: what runs may end or is stopped, nothing else starts; a restart under way is given up.

    Args:
        error: why, if it is a failure (a time-out, an end block); None when somebody asked for it.
        ended_by: the entry of the end block whose end this is.
    """
    stopped = replace(execution, generation=execution.generation + 1, deadline=None, error=error, cancel_mode=mode,
                      reason=reason, ended_by=ended_by, withdrawing={}, restart_targets=None, restart_supplied=None,
                      revoked=tuple(execution.restart_targets or ()),
                      holds=tuple(hold for hold in execution.holds if hold != RESTART_HOLD))
    return _change(stopped, "execution_cancelling", ExecutionStatus.CANCELLING, at, cause=cause, mode=mode.value,
                   reason=reason)


def forget_restart(execution: Execution, at: datetime) -> Execution:
    """Note that nobody can carry out any more what a restart that was given up was about to do."""
    return _record(replace(execution, revoked=()), "execution_restart_revoked", at, execution.status, cause="cancelled")


def withdraw(execution: Execution, names: Iterable[str], cause: str, at: datetime, *, by: str | None = None,
             reason: str | None = None) -> Execution:
    """Write down blocks that the execution goes on without, before any of them is ended.

    Args:
        cause: why; of a block that is on the list already the first counts.
        by: who wants it; None if the template does.
    """
    listed = {**dict.fromkeys(names, cause), **execution.withdrawing}
    new = [name for name in listed if name not in execution.withdrawing]
    return _record(replace(execution, withdrawing=listed), "execution_withdrawing", at, execution.status, cause=cause,
                   blocks=new, by=by, reason=reason)


def withdrawn(execution: Execution, names: Iterable[str], at: datetime) -> Execution:
    """Take blocks off the list of those to be withdrawn: they have ended."""
    left = {name: cause for name, cause in execution.withdrawing.items() if name not in set(names)}
    return _record(replace(execution, withdrawing=left), "execution_withdrawn", at, execution.status,
                   cause="blocks_ended")


def force(execution: Execution, at: datetime, reason: str | None, by: str) -> Execution:
    """Let what still runs in an execution that is being cancelled be stopped."""
    forced = replace(execution, cancel_mode=CancelMode.FORCE, reason=reason or execution.reason)
    return _record(forced, "execution_cancel_forced", at, execution.status, cause=by, reason=reason)


def close(execution: Execution, status: ExecutionStatus, error: Mapping[str, Any] | None, at: datetime) -> Execution:
    """End the execution for good: every block of it has ended."""
    ended = replace(execution, completed_at=max(at, execution.started_at or execution.created_at), deadline=None,
                    error=error, withdrawing={}, holds=(), slots=(), slot_queue=(), clock_stopped_by=(),
                    stopped_since=None,
                    reason=execution.reason if execution.status is ExecutionStatus.CANCELLING else None)
    return _change(ended, f"execution_{status.value}", status, at, cause="all_blocks_ended")


def begin_restart(execution: Execution, targets: Mapping[str, int], timeout: timedelta, at: datetime, *,
                  supplied: Mapping[str, Any] | None = None, by: str | None = None,
                  from_version: str | None = None) -> Execution:
    """Write down which blocks are to reach which epoch, and hold the execution meanwhile.

    Args:
        timeout: for the execution from now on, if it had ended.
        supplied: what is taken instead of the run of some of them.
        from_version: the definition that it had until now.
    """
    kept = {name: cause for name, cause in execution.withdrawing.items() if name not in targets}
    opened = replace(execution, restart_targets=dict(targets), restart_supplied=supplied, withdrawing=kept,
                     generation=execution.generation + 1, hold_number=execution.hold_number + 1,
                     holds=tuple(sorted({*execution.holds, RESTART_HOLD})), completed_at=None, error=None)
    told = {"by": by, "blocks": list(targets), "templateVersion": execution.template_version,
            "fromVersion": from_version}
    if not execution.status.is_terminal:
        return _record(opened, "execution_restarting", at, execution.status, cause="restart", **told)
    begun_at = execution.started_at or max(at, execution.created_at)  # it may have been cancelled before it started
    fresh = replace(opened, remaining=timeout, reason=None, cancel_mode=CancelMode.GRACEFUL, started_at=begun_at)
    return _change(_clock_started(fresh, at), "execution_restarting", ExecutionStatus.RUNNING, at, cause="restart",
                   **told)


def end_restart(execution: Execution, at: datetime) -> Execution:
    """Take the restart's intent and its hold away."""
    done = replace(execution, restart_targets=None, restart_supplied=None, generation=execution.generation + 1)
    return lift(done, RESTART_HOLD, at)


def at_rest(execution: Execution, at: datetime, again_after: timedelta) -> Execution:
    """Return the execution as it is when its events are relayed.

    The sweep looks again at one that runs, or is in the middle of something: it may be able to close, all of it may be
    parked, or its time-out may be over. One that is paused is looked at when its time-out is over, if that goes on,
    and now and then if a hold keeps it that is not its own: who gave it may have died before seeing that it was lifted.
    Nobody needs to look at one that waits or has ended.
    """
    if needs_sweep(execution):
        return replace(execution, due_at=at + again_after)
    if execution.status is ExecutionStatus.RUNNING:
        return replace(execution, due_at=min(execution.deadline or at + again_after, at + again_after))
    if not any(is_standing(name) or name == PARENT_HOLD for name in execution.holds):
        return replace(execution, due_at=execution.deadline)
    seldom = at + again_after * _HELD
    return replace(execution, due_at=min(execution.deadline or seldom, seldom))


def needs_sweep(execution: Execution) -> bool:
    """Say whether the execution is in the middle of something that the sweep has to bring to its end."""
    unfinished = (ExecutionStatus.PENDING, ExecutionStatus.PAUSING, ExecutionStatus.CANCELLING)
    return execution.status in unfinished or execution.restart_targets is not None or bool(execution.withdrawing)


def _clock_stopped(execution: Execution, at: datetime) -> Execution:
    """Let the time-out stand still."""
    if execution.deadline is None:
        return execution
    return replace(execution, remaining=max(execution.deadline - at, timedelta(milliseconds=1)), deadline=None)


def _clock_started(execution: Execution, at: datetime) -> Execution:
    """Let the time-out go on from what is left of it, unless it goes on already or a hold has stopped it."""
    if execution.deadline is not None or execution.clock_stopped_by or not execution.remaining:
        return execution
    return replace(execution, deadline=at + execution.remaining)


def _clock_held(execution: Execution, name: str, at: datetime) -> Execution:
    """Let all deadlines stand still because of a hold."""
    stopped = replace(execution, clock_stopped_by=tuple(sorted({*execution.clock_stopped_by, name})),
                      stopped_since=execution.stopped_since or at)
    return _clock_stopped(stopped, at)


def _clock_lifted(execution: Execution, name: str, at: datetime) -> Execution:
    """Let deadlines go on if no other hold keeps them standing; the time-out does with the execution."""
    if execution.stopped_since is None or name not in execution.clock_stopped_by:
        return execution
    left = tuple(hold for hold in execution.clock_stopped_by if hold != name)
    if left:
        return replace(execution, clock_stopped_by=left)
    gone_on = replace(execution, clock_stopped_by=(), stopped_since=None,
                      stopped_for=execution.stopped_for + max(at - execution.stopped_since, timedelta(0)))
    return _clock_started(gone_on, at) if execution.status is ExecutionStatus.RUNNING else gone_on


def _change(execution: Execution, event_type: str, status: ExecutionStatus, at: datetime, cause: str,
            **told: Any) -> Execution:
    check(EXECUTION_TRANSITIONS, "execution", execution.execution_id, execution.status, status)
    return _record(replace(execution, status=status), event_type, at, execution.status, cause, **told)


def _record(execution: Execution, event_type: str, at: datetime, previous: ExecutionStatus, cause: str,
            **told: Any) -> Execution:
    """Return the changed execution as a new version with its event.

    Args:
        told: what else the event says, if it is not None.
    """
    known = {name: value for name, value in told.items() if value is not None}
    event = Event(type=event_type, workspace_id=execution.workspace_id, execution_id=execution.execution_id,
                  source=execution.execution_id, version=execution.version + 1, at=at,
                  payload={"from": previous.value, "cause": cause, **known, **replayed(execution)})
    return replace(execution, version=execution.version + 1, outbox=(*execution.outbox, event), due_at=at)


def replayed(execution: Execution) -> dict[str, Any]:
    """Return what the events of an execution, replayed, give of it (JSON)."""
    return {"status": execution.status.value, "generation": execution.generation, "holds": list(execution.holds),
            "holdNumber": execution.hold_number, "error": execution.error}
