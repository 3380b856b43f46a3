"""I9 and I4: the history is whole, and tells of legal changes that lead to what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain import signal as signals
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.invariants.record import Changed, Record, Violation
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import (
    APPROVAL_TRANSITIONS,
    BLOCK_TRANSITIONS,
    EXECUTION_TRANSITIONS,
    SIGNAL_TRANSITIONS,
    WAIT_TRANSITIONS,
    ApprovalStatus,
    BlockStatus,
    ExecutionStatus,
    SignalStatus,
    WaitStatus,
)


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with the history."""
    yield from _broken_order(record)
    for source, events in record.events.items():
        document = record.documents.get(source)
        if document is None:
            yield Violation(invariant="I9", subject=source, message="Something happened to it, and it is not stored.")
            continue
        yield from _broken_versions(document, source, [event.version for event in events])
        if events and events[-1].version == document.version:
            yield from _broken_replay(document, events[-1])
        for before, event in pairwise((None, *events)):
            assert event is not None
            yield from _broken_change(document, before, event)


def _broken_order(record: Record) -> Iterator[Violation]:
    sequences = [entry.sequence for entry in record.history]
    if sequences != list(range(1, len(sequences) + 1)):
        yield Violation(invariant="I9", subject=record.execution.execution_id,
                        message=f"The sequence numbers have gaps or repeats: {sequences[:50]}.")
    for event_id, times in Counter(entry.event.event_id for entry in record.history).items():
        if times > 1:
            yield Violation(invariant="I9", subject=event_id, message=f"The history has this event {times} times.")


def _broken_versions(document: Changed, source: str, versions: list[int]) -> Iterator[Violation]:
    if versions != list(range(1, document.version + 1)):
        yield Violation(invariant="I9", subject=source,
                        message=f"It has version {document.version}, but its events have {versions[:50]}.")
    if document.outbox and document.due_at is None:
        yield Violation(invariant="I9", subject=source, message="It has events that nobody will relay.")


def _broken_replay(document: Changed, last: Event) -> Iterator[Violation]:
    stored = _replayed(document)
    told = {name: last.payload.get(name) for name in stored}
    if told != stored:
        yield Violation(invariant="I9", subject=last.source, message=f"Its events give {told}, but it is {stored}.")


def _replayed(document: Changed) -> Mapping[str, Any]:
    if isinstance(document, BlockExecution):
        return blocks.replayed(document)
    if isinstance(document, Execution):
        return executions.replayed(document)
    if isinstance(document, Approval):
        return {"status": document.status.value, "assignedTo": document.assigned_to,
                "escalationLevel": document.escalation_level, "approver": document.approver, "epoch": document.epoch}
    if isinstance(document, Signal):
        return signals.replayed(document)
    return {"status": document.status.value, "kind": document.kind.value, "epoch": document.epoch}


def _broken_change(document: Changed, before: Event | None, event: Event) -> Iterator[Violation]:
    """Yield what is wrong with one step from an event to the next."""
    was = before.payload["status"] if before is not None else _first_status(document)
    now = event.payload["status"]
    if event.payload.get("from", was) != was:
        yield _illegal(event, f"It says that it was {event.payload['from']} before, but it was {was}.")
    if not _is_legal(document, event, was, now):
        yield _illegal(event, f"It may not go from {was} to {now}.")


def _first_status(document: Changed) -> str:
    if isinstance(document, BlockExecution):
        return BlockStatus.PENDING.value
    if isinstance(document, Execution):
        return ExecutionStatus.PENDING.value
    if isinstance(document, Signal):
        return SignalStatus.KEPT.value
    return ApprovalStatus.PENDING.value if isinstance(document, Approval) else WaitStatus.OPEN.value


def _is_legal(document: Changed, event: Event, was: str, now: str) -> bool:
    if isinstance(document, BlockExecution):
        reset = event.type == "block_reset" and now == BlockStatus.PENDING.value
        kept = event.type == "block_kept" and now == was
        return reset or kept or BlockStatus(now) in BLOCK_TRANSITIONS[BlockStatus(was)]
    if was == now:  # something else of it changed
        return was not in _ENDED or event.type == "execution_lifted"
    if isinstance(document, Execution):
        target = ExecutionStatus(now)
        reopened = event.type == "execution_restarting" or not ExecutionStatus(was).is_terminal
        return reopened and target in EXECUTION_TRANSITIONS[ExecutionStatus(was)]
    if isinstance(document, Approval):
        return ApprovalStatus(now) in APPROVAL_TRANSITIONS[ApprovalStatus(was)]
    if isinstance(document, Signal):
        return SignalStatus(now) in SIGNAL_TRANSITIONS[SignalStatus(was)]
    return WaitStatus(now) in WAIT_TRANSITIONS[WaitStatus(was)]


_ENDED = frozenset({*(status.value for status in ExecutionStatus if status.is_terminal),
                    *(status.value for status in ApprovalStatus if status is not ApprovalStatus.PENDING),
                    *(status.value for status in WaitStatus if status is not WaitStatus.OPEN)})


def _illegal(event: Event, message: str) -> Violation:
    return Violation(invariant="I4", subject=event.event_id, message=message)
