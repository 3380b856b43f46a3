"""I2: each key does its work once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workflow_service.domain.ids import idempotency_key
from workflow_service.domain.invariants.record import Record, Violation


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with what the agents did."""
    for key, times in Counter(effect.key for effect in record.effects).items():
        if times > 1:
            yield Violation(invariant="I2", subject=key, message=f"Its work was done {times} times.")
    known = {idempotency_key(block.execution_id, block.block_id, epoch)
             for block in (*record.blocks, *record.retired) for epoch in range(1, block.epoch + 1)}
    for effect in record.effects:
        if effect.key not in known:
            yield Violation(invariant="I2", subject=effect.key, message="Work was done that no block stands for.")
