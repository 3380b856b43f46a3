"""I12: a signal goes to one block, once, and none that a block waits for is left lying."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.flow import SignalMode
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.signal import SIGNAL_IDS, Signal, was_used
from workflow_service.domain.statuses import WaitKind, WaitStatus
from workflow_service.domain.wait import Wait


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with signals and with those who waited for them."""
    signals = {signal.signal_id: signal for signal in record.signals}
    waits = {wait.id: wait for wait in record.waits if wait.kind is WaitKind.SIGNAL}
    for wait in waits.values():
        for name in (wait.payload or {}).get(SIGNAL_IDS, ()):
            if name not in signals or signals[name].taken_by != wait.id:
                yield _broken(wait.id, f"It fired with the signal {name}, which was not taken for it.")
        if wait.status is WaitStatus.OPEN and not record.execution.status.is_terminal:
            yield from _left_lying(record, wait)
    for signal in record.signals:
        if signal.taken_by is not None and signal.due_at is None:
            yield from _kept_back(record, signal, waits.get(signal.taken_by))


def _left_lying(record: Record, wait: Wait) -> Iterator[Violation]:
    """Yield a wait for which all signals are there, and nobody looks."""
    block = record.by_name.get(wait.block_id)
    if block is None or block.status is not wait.kind.parked_status or block.epoch != wait.epoch:
        return
    there = [signal for signal in record.signals if signal.taken_by in (None, wait.id)]
    if wait.due_at not in (None, wait.ask_at) or any(signal.due_at is not None for signal in there):
        return
    found = [any(signal.name == name for signal in there) for name in wait.signals]
    if any(found) if wait.signal_mode is SignalMode.ANY else all(found):
        yield _broken(wait.id, "All signals that it needs are there, and nobody looks.")


def _kept_back(record: Record, signal: Signal, wait: Wait | None) -> Iterator[Violation]:
    """Yield a signal that was taken for a wait which ended without it, if nobody will give it back."""
    if wait is None:
        yield _broken(signal.signal_id, f"It was taken for {signal.taken_by}, which is not stored.")
    elif wait.status is not WaitStatus.OPEN and not was_used(signal.signal_id, wait) and wait.due_at is None:
        yield _broken(signal.signal_id, f"It was taken for {wait.id}, which ended without it.")


def _broken(subject: str, message: str) -> Violation:
    return Violation(invariant="I12", subject=subject, message=message)
