"""I2 and I8: each key does its work once, and no work begins once a pause is complete or the execution has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from workflow_service.domain.ids import idempotency_key
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.statuses import ExecutionStatus

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_STILL = frozenset({ExecutionStatus.PAUSED.value,
                    *(status.value for status in ExecutionStatus if status.is_terminal)})


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with what the agents did."""
    for key, times in Counter(effect.key for effect in record.effects).items():
        if times > 1:
            yield Violation(invariant="I2", subject=key, message=f"Its work was done {times} times.")
    known = {idempotency_key(block.execution_id, block.block_id, epoch)
             for block in record.blocks for epoch in range(1, block.epoch + 1)}
    for effect in record.effects:
        if effect.key not in known:
            yield Violation(invariant="I2", subject=effect.key, message="Work was done that no block stands for.")
    yield from _work_in_silence(record)


def _work_in_silence(record: Record) -> Iterator[Violation]:
    for status, since, until in _silences(record):
        for effect in record.effects:
            if since < effect.started < until:
                yield Violation(invariant="I8", subject=effect.key,
                                message=f"Its work began while the execution was {status}.")


def _silences(record: Record) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield from when to when nothing might begin, and why."""
    events = record.events[record.execution.execution_id]
    for event, following in pairwise((*events, None)):
        assert event is not None
        if event.payload["status"] in _STILL:
            yield event.payload["status"], event.at, following.at if following is not None else _ALWAYS
