"""What each event says, as an English sentence for people.

The table at the end is the only place that knows how events read. An event whose type has no sentence, because a newer
version of the service stored it, is told by its type, and never keeps the others from being read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workflow_service.domain.events import Event


def sentence_of(event: Event) -> str:
    """Return what happened, without a full stop, as what agents and people wrote may end it."""
    tell = SENTENCES.get(event.type)
    return tell(event) if tell else event.type.replace("_", " ").capitalize()


def _block(event: Event) -> str:
    return f"Block '{event.block_id}'"


def _by(event: Event) -> str:
    """Return who did it and why, as far as it is told, for the end of a sentence."""
    by, reason = event.payload.get("by"), event.payload.get("reason")
    return (f" by {by}" if by else "") + (f": {reason}" if reason else "")


def _error(event: Event) -> str:
    """Return the error that an event tells of, after a colon; empty if it tells of none."""
    error = event.payload.get("error") or {}
    where = f"block '{error['blockId']}'" if error.get("blockId") else None
    parts = [part for part in (where, error.get("code"), error.get("message")) if part]
    return "".join(f": {part}" for part in parts)


def _run(event: Event) -> str:
    """Return which run of the block it is, unless it is the first."""
    epoch = event.payload.get("epoch", 1)
    return f" in run {epoch}" if epoch > 1 else ""


def _fixed(text: str) -> Callable[[Event], str]:
    return lambda event: text


_HOLDERS: Mapping[str, str] = {"operator": "the execution", "service": "the whole service",
                               "workspace": "the workspace", "template": "the template", "restart": "a restart"}


def _held_for(event: Event) -> str:
    cause = str(event.payload.get("cause"))
    return f"agent '{cause.partition(':')[2]}'" if cause.startswith("agent:") else _HOLDERS.get(cause, cause)


def _pausing(event: Event) -> str:
    if event.payload.get("cause") == "operator":
        return f"Paused{_by(event)}; what runs may end, nothing new starts"
    if event.payload.get("cause") == "held":
        return "Paused from the start: something that it belongs to is on hold"
    return f"Pausing, as {_held_for(event)} was put on hold{_by(event)}"


def _resumed(event: Event) -> str:
    if event.payload.get("cause") == "block_started":
        return "No longer waiting: a block runs again"
    return f"Resumed{_by(event)}"


def _lifted(event: Event) -> str:
    if event.payload.get("cause") == "restart":
        return "The restart is prepared; its blocks may run"
    return f"Hold on {_held_for(event)} lifted{_by(event)}"


def _cancelling(event: Event) -> str:
    told, stopped = event.payload, "; what runs is stopped" if event.payload.get("mode") == "force" else ""
    if str(told.get("cause")).startswith("ended_by:"):
        message = f": {told['reason']}" if told.get("reason") else ""
        return f"Block '{str(told['cause']).removeprefix('ended_by:')}' ends the execution{message}"
    if told.get("error"):
        return f"Ending the execution{_error(event)}{stopped}"
    reason = f": {told['reason']}" if told.get("reason") else ""
    return f"Cancelled by {told.get('by') or told.get('cause')}{reason}{stopped}"


def _cancel_forced(event: Event) -> str:
    reason = f": {event.payload['reason']}" if event.payload.get("reason") else ""
    return f"What still runs is being stopped, asked by {event.payload.get('cause')}{reason}"


def _withdrawing(event: Event) -> str:
    names = ", ".join(event.payload.get("blocks") or ())
    if event.payload.get("cause") == "late":
        return f"What comes too late is not waited for any more: {names}"
    return f"The execution goes on without {names}, asked{_by(event)}"


def _restarting(event: Event) -> str:
    names = event.payload.get("blocks") or ()
    again = f"; these run again: {', '.join(names)}" if names else ""
    version, before = event.payload.get("templateVersion"), event.payload.get("fromVersion")
    other = f", with version {version} instead of {before}" if before and before != version else ""
    return f"Restarted{_by(event)}{other}{again}"


READY: Mapping[str, str] = {
    "edges_satisfied": "is ready",
    "held": "did not start: its execution or agent is on hold",
    "no_slot": "waits for its turn: as many blocks run as may",
    "no_permit": "waits for its turn: its mutex or its agent is taken by others",
    "rate_limited": "waits for its turn: its agent was called as often as it may be in a minute",
    "retry_due": "is ready for its next attempt",
    "retried_now": "is to be tried again now",
    "worker_stopping": "goes to another worker: its own has to end",
    "approval_fired": "goes on: the request was answered",
    "agent_fired": "goes on: its agent has answered",
    "signal_fired": "goes on: it no longer waits for a signal",
    "time_fired": "goes on: its time has come",
    "children_fired": "goes on: its children have ended",
    "fix_fired": "goes on: it was fixed",
}
"""Why a block is ready -> what that means for it."""
_AWAITED: Mapping[str, str] = {"approval": "a person's answer", "agent": "its agent's answer",
                               "signal": "a signal", "time": "its time", "children": "its children", "fix": "a fix"}


def _ready(event: Event) -> str:
    cause = event.payload.get("cause")
    return f"{_block(event)} {READY.get(str(cause), f'is ready ({cause})')}{_by(event)}"


def _started(event: Event) -> str:
    attempt = event.payload.get("attempt", 1)
    number = f", attempt {attempt}" if attempt > 1 else ""
    if event.payload.get("cause") == "lease_expired":
        return f"{_block(event)} was taken over from a lost worker{_run(event)}{number}"
    return f"{_block(event)} started{_run(event)}{number}"


def _retry(event: Event) -> str:
    number = str(event.payload.get("cause")).rpartition(": ")[2]
    due = f" at {event.payload['dueAt']}" if event.payload.get("dueAt") else ""
    return f"{_block(event)} failed{_error(event)}; {number} follows{due}"


def _completed(event: Event) -> str:
    told = event.payload
    if told.get("cause") == "joined":
        return "All that had to come together here has ended"
    if told.get("cause") == "end_reached":
        return f"{_block(event)} was reached"
    supplied = " with an output that was supplied" if told.get("cause") == "supplied" else ""
    chosen = told.get("chosen")
    way = "" if chosen is None else f"; it leads to {', '.join(chosen)}" if chosen else "; it leads nowhere"
    return f"{_block(event)} completed{supplied}{way}"


_NO_COMMENT = "Rejected."
"""What the error of a rejected block says if the person gave no reason."""


def _rejected(event: Event) -> str:
    error = event.payload.get("error") or {}
    by = f" by {error['by']}" if error.get("by") else ""
    why = error.get("message") or _NO_COMMENT
    return f"{_block(event)} was rejected{by}" + ("" if why == _NO_COMMENT else f": {why}")


SKIPPED: Mapping[str, str] = {
    "guard_false": "its condition is false",
    "no_edge_satisfied": "no way leads to it",
    "too_few_satisfied": "too few ways lead to it",
    "late": "what it leads to has begun without it",
    "cancelled": "it was taken out of the execution",
}
"""Why a block was skipped -> what that means for it."""


def _skipped(event: Event) -> str:
    cause = str(event.payload.get("cause"))
    return f"{_block(event)} was skipped: {SKIPPED.get(cause, cause)}"


def _cancelled(event: Event) -> str:
    cause = str(event.payload.get("cause"))
    if cause.startswith("failed:"):
        return f"{_block(event)} was cancelled: block '{cause.removeprefix('failed:')}' did not end well"
    return f"{_block(event)} was cancelled" + (" with its execution" if cause == "cancelled" else f": {cause}")


def _reset(event: Event) -> str:
    if event.payload.get("cause") == "skip":
        return f"{_block(event)} is to be skipped: its output was supplied"
    return f"{_block(event)} is to run again{_run(event)}"


def _awaited(event: Event) -> str:
    told = event.payload
    kind = str(told.get("kind", told.get("cause")))
    until = f", until {told['until']}" if told.get("until") else ""
    if not told.get("signals"):
        return _AWAITED.get(kind, kind) + until
    names = (" and " if told.get("mode") == "all" else " or ").join(f"'{name}'" for name in told["signals"])
    return f"the signal{'s' if len(told['signals']) > 1 else ''} {names}{until}"


def _signal(event: Event) -> str:
    return f"Signal '{event.payload.get('name')}'"


def _responded(event: Event) -> str:
    return f"{_block(event)} was {event.payload.get('status')} by {event.payload.get('approver')}"


def _escalated(event: Event) -> str:
    told = event.payload
    return (f"{_block(event)} got no answer in time and asks the role {told.get('assignedTo')} now "
            f"(level {told.get('escalationLevel')})")


SENTENCES: Mapping[str, Callable[[Event], str]] = {
    "execution_started": _fixed("Execution started"),
    "execution_waiting": _fixed("Nothing can run: all that is left waits"),
    "execution_resumed": _resumed,
    "execution_pausing": _pausing,
    "execution_paused": _fixed("The pause is complete: nothing runs any more"),
    "execution_held": lambda event: f"{_held_for(event).capitalize()} was put on hold{_by(event)}",
    "execution_lifted": _lifted,
    "execution_cancelling": _cancelling,
    "execution_cancel_forced": _cancel_forced,
    "execution_withdrawing": _withdrawing,
    "execution_withdrawn": _fixed("All that was to be taken out has ended"),
    "execution_restarting": _restarting,
    "execution_restart_revoked": _fixed("The restart that was under way is given up"),
    "execution_completed": _fixed("Execution completed"),
    "execution_failed": lambda event: f"Execution failed{_error(event)}",
    "execution_cancelled": _fixed("Execution cancelled"),
    "block_ready": _ready,
    "block_started": _started,
    "block_parked": lambda event: f"{_block(event)} waits for {_awaited(event)}",
    "block_retry_scheduled": _retry,
    "block_completed": _completed,
    "block_failed": lambda event: f"{_block(event)} failed{_error(event)}",
    "block_rejected": _rejected,
    "block_skipped": _skipped,
    "block_cancelled": _cancelled,
    "block_reset": _reset,
    "block_kept": lambda event: f"{_block(event)} stays as it ended: the restart is given up",
    "wait_opened": lambda event: f"{_block(event)} is to wait for {_awaited(event)}",
    "wait_fired": lambda event: f"{_block(event)} has what it waits for: {_awaited(event)}",
    "wait_counted": lambda event: f"{_block(event)} has {event.payload.get('parts')} parts at work or done, of which "
                                  f"{event.payload.get('failed')} failed",
    "wait_cancelled": lambda event: f"{_block(event)} no longer waits for {_awaited(event)}",
    "signal_received": lambda event: f"{_signal(event)} came from {event.payload.get('by')}",
    "signal_taken": lambda event: f"{_signal(event)} was taken for block '{event.block_id}'",
    "signal_given_back": lambda event: f"{_signal(event)} is kept: block '{event.block_id}' went on without it",
    "approval_requested": lambda event: f"{_block(event)} asks the role {event.payload.get('assignedTo')}",
    "approval_responded": _responded,
    "approval_timeout": _escalated,
    "approval_postponed": lambda event: f"{_block(event)} may be answered later: time stood still during a hold",
    "approval_cancelled": lambda event: f"{_block(event)} needs no answer any more",
    "approval_superseded": lambda event: f"{_block(event)} needs no answer any more: it runs again",
    "approval_expired": lambda event: f"{_block(event)} got no answer in time",
}
"""Type of an event -> what it tells."""
