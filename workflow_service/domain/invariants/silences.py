"""I8: nothing begins between the moment when a pause is complete, or the execution has ended, and its resume.

A claim may be made in that time, for messages that were on their way arrive; but whoever makes it looks at the
execution after it, and has to give it back. So a claim counts when something came of it before the resume. One whose
owner died is nobody's: the next owner has to give it back in turn, or gives the block up. One that was withdrawn from
its owner came to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from workflow_service.domain.blocks import CANCELLED, LATE, BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.statuses import ExecutionStatus

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_BEGIN = frozenset({ExecutionStatus.PAUSED.value, *(status.value for status in ExecutionStatus if status.is_terminal)})
"""Statuses in which nothing runs, and nothing may begin."""
_END = frozenset({ExecutionStatus.RUNNING.value, ExecutionStatus.WAITING.value, ExecutionStatus.COMPENSATING.value})
"""Statuses in which something may begin again: cancelling what is paused starts nothing."""
_OUTCOMES = frozenset({"block_completed", "block_failed", "block_rejected", "block_skipped", "block_parked",
                       "block_retry_scheduled"})
"""What only comes of a claim that was kept."""
_LOST_WORKER = "lost_worker"
"""The cause of the one failure that is no outcome of a claim: the block is given up because its owners died."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A time in which nothing may begin."""

    status: str
    """The status with which it began."""
    since: datetime
    until: datetime

    def has(self, at: datetime) -> bool:
        """Say whether an instant is within."""
        return self.since < at < self.until


def broken(record: Record) -> Iterator[Violation]:
    """Yield what began when nothing might."""
    for silence in _silences(record):
        for effect in record.effects:
            if silence.has(effect.started):
                yield Violation(invariant="I8", subject=effect.key,
                                message=f"Its work began while the execution was {silence.status}.")
        for block in record.blocks:
            yield from _kept_claims(record, block, silence)


def _silences(record: Record) -> Iterator[Silence]:
    began: Event | None = None
    for event in record.events[record.execution.execution_id]:
        if began is None and event.payload["status"] in _BEGIN:
            began = event
        elif began is not None and event.payload["status"] in _END:
            yield Silence(status=began.payload["status"], since=began.at, until=event.at)
            began = None
    if began is not None:
        yield Silence(status=began.payload["status"], since=began.at, until=_ALWAYS)


def _kept_claims(record: Record, block: BlockExecution, silence: Silence) -> Iterator[Violation]:
    """Yield claims that were made in the silence and came to something in it."""
    for event, following in pairwise(record.events[block.id]):
        if event.type == "block_started" and silence.has(event.at) and _is_kept(following, silence):
            yield Violation(invariant="I8", subject=event.event_id, message="It was claimed and not given back while "
                            f"the execution was {silence.status}: {following.type}.")


def _is_kept(following: Event, silence: Silence) -> bool:
    given_up = following.type == "block_failed" and following.payload["cause"] == _LOST_WORKER
    withdrawn = following.type == "block_skipped" and following.payload["cause"] in (LATE, CANCELLED)
    return following.type in _OUTCOMES and not given_up and not withdrawn and silence.has(following.at)
