"""I3, I5, I7: who ran a block, when it might start, be skipped or cancelled, and that a join fires once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from workflow_service.domain.blocks import CANCELLED, LATE, BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.outcomes import is_satisfied, is_without_outcome
from workflow_service.domain.plan import Node
from workflow_service.domain.regions import late_for
from workflow_service.domain.statuses import FAILURES, BlockStatus, WaitKind

_TOO_FEW = frozenset({"no_edge_satisfied", "too_few_satisfied"})
_DECISIONS = frozenset({"edges_satisfied", "joined", "supplied"}) | _TOO_FEW
"""The causes of the one change that a block's edges make."""
_BAD = frozenset({*(status.value for status in FAILURES), BlockStatus.CANCELLED.value})
_NO_STEPS = frozenset({"block_reset", "block_kept"})
_WORKED = frozenset({BlockStatus.COMPLETED, BlockStatus.FAILED, BlockStatus.REJECTED})


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with the blocks' runs."""
    for block in (*record.blocks, *record.retired):
        events = record.events[block.id]
        yield from _broken_fences(block, events)
        yield from _broken_joins(block, events)
    for block in record.blocks:
        yield from _broken_edges(record, block, record.events[block.id])
    for block in record.retired:
        if not block.status.is_terminal:
            yield Violation(invariant="I5", subject=block.id, message="Its definition is gone and it has not ended.")
    missing = set(record.plan.nodes) - set(record.by_name) - set(record.execution.restart_targets or ())
    if missing and any(event.type == "execution_started" for event in record.events[record.execution.execution_id]):
        yield Violation(invariant="I1", subject=record.execution.execution_id,
                        message=f"Blocks are missing: {sorted(missing)[:20]}.")


def _broken_fences(block: BlockExecution, events: Sequence[Event]) -> Iterator[Violation]:
    """The fence grows with each claim and never shrinks; only its newest owner ends a block's run."""
    for before, event in pairwise(events):
        was, now = before.payload["fence"], event.payload["fence"]
        if now < was or (event.type == "block_started" and now == was):
            yield Violation(invariant="I3", subject=event.event_id, message=f"The fence went from {was} to {now}.")
        if event.type in _RUN_ENDS and before.type != "block_started" and event.payload["from"] == "running":
            yield Violation(invariant="I3", subject=event.event_id, message=f"Nobody owned it after {before.type}.")
        if event.type in _RUN_ENDS and now != was:
            yield Violation(invariant="I3", subject=event.event_id,
                            message=f"A result of fence {now} was accepted, but the owner had {was}.")
    if events and block.fence != events[-1].payload["fence"] and block.version == events[-1].version:
        yield Violation(invariant="I3", subject=block.id, message="Its fence is not that of its last event.")


_RUN_ENDS = frozenset({"block_completed", "block_failed", "block_rejected", "block_parked", "block_retry_scheduled"})


def _broken_joins(block: BlockExecution, events: Sequence[Event]) -> Iterator[Violation]:
    decided = Counter(event.payload["epoch"] for event in events if event.payload["cause"] in _DECISIONS)
    for epoch, times in decided.items():
        if times > 1:
            yield Violation(invariant="I7", subject=block.id, message=f"In epoch {epoch} it was decided {times} times.")


def _broken_edges(record: Record, block: BlockExecution, events: Sequence[Event]) -> Iterator[Violation]:
    """Compare what became of a block with how those before it ended, in each of its epochs."""
    node = record.plan.nodes.get(block.block_id)
    if node is None:
        yield Violation(invariant="I5", subject=block.id, message="The plan has no such block.")
        return
    for event in events:
        if event.payload["cause"] in _DECISIONS and not record.is_of_an_older_plan(event):
            yield from _broken_decision(record, node, event, _epoch_began(events, event.payload["epoch"]))
    own = [event for event in events if event.payload["epoch"] == block.epoch and event.type not in _NO_STEPS]
    if own and events[-1].version == block.version and block.status.is_terminal:
        yield from _broken_end(record, block, node, own)


def _broken_decision(record: Record, node: Node, event: Event, since: datetime | None) -> Iterator[Violation]:
    before = [_as_ended(record, name, since, event.at) for name in node.predecessors]
    ended = [one for one in before if one is not None]
    enough = sum(is_satisfied(record.plan, one, node) for one in ended) >= node.needed
    began_early = node.is_early and enough
    if len(ended) < len(before) and not began_early:
        late = [name for name, one in zip(node.predecessors, before, strict=True) if one is None]
        yield Violation(invariant="I5", subject=event.event_id, message=f"Decided before these had ended: {late}.")
        return
    badly = [one.block_id for one in ended if is_without_outcome(record.plan, one)]
    if badly and not began_early:
        yield Violation(invariant="I5", subject=event.event_id, message=f"Decided after these ended badly: {badly}.")
    if enough == (event.payload["cause"] in _TOO_FEW):
        word = "Skipped although enough edges are" if enough else "Started although too few edges are"
        yield Violation(invariant="I5", subject=event.event_id, message=f"{word} satisfied.")


def _epoch_began(events: Sequence[Event], epoch: int) -> datetime | None:
    """Return when a restart began an epoch; None for the first."""
    return next((event.at for event in events if event.type == "block_reset" and event.payload["epoch"] == epoch), None)


def _as_ended(record: Record, name: str, since: datetime | None, until: datetime) -> BlockExecution | None:
    """Return a block as it ended in the epoch that it had when a successor's epoch began; None if it had not by then.

    A restart resets a block before its successors, so what was reset until then belongs to the same run.
    """
    block, events = record.by_name.get(name), record.events.get(block_execution_id(record.execution.execution_id, name))
    if block is None or not events:
        return None
    resets = [number for number, event in enumerate(events)
              if event.type == "block_reset" and since is not None and event.at <= since]
    for event in events[resets[-1] + 1 if resets else 0:]:
        status = BlockStatus(event.payload["status"])
        if event.type == "block_reset" or event.at > until:
            return None
        if status.is_terminal:
            chosen = event.payload["chosen"]
            return replace(block, status=status, chosen=None if chosen is None else tuple(chosen))
    return None


def _broken_end(record: Record, block: BlockExecution, node: Node, own: Sequence[Event]) -> Iterator[Violation]:
    """Look whether a block that has ended went through what it had to, and had a reason."""
    cause = str(own[-1].payload["cause"])
    if block.status in _WORKED and not node.is_join:
        if not any(event.payload["cause"] in ("edges_satisfied", "supplied") for event in own):
            yield Violation(invariant="I5", subject=block.id, message="It ran and never became ready by its edges.")
    if block.status is BlockStatus.CANCELLED and not _has_reason(record, block, cause):
        yield Violation(invariant="I5", subject=block.id, message=f"It was cancelled without a reason: {cause}.")
    if block.status is BlockStatus.SKIPPED and cause in (LATE, CANCELLED):
        yield from _broken_withdrawal(record, block, own[-1])
    if cause == "guard_false" and own[-1].payload["from"] != BlockStatus.RUNNING.value:
        yield Violation(invariant="I5", subject=block.id, message="Its guard was asked before it ran.")


def _broken_withdrawal(record: Record, block: BlockExecution, end: Event) -> Iterator[Violation]:
    """A block is withdrawn after that was written down; as late, after what it alone leads to has begun."""
    cause = end.payload["cause"]
    if not any(event.type == "execution_withdrawing" and event.payload["cause"] == cause and event.at <= end.at
               and block.block_id in event.payload["blocks"]
               for event in record.events[record.execution.execution_id]):
        yield Violation(invariant="I5", subject=end.event_id, message="It was withdrawn and nobody wanted that.")
    if cause == LATE and not any(
            block.block_id in late_for(record.plan, name) and any(
                event.type == "block_started" and event.at <= end.at for event in record.events[join.id])
            for name, join in record.by_name.items()):
        yield Violation(invariant="I5", subject=end.event_id, message="It was late for nothing that had begun.")


def _has_reason(record: Record, block: BlockExecution, cause: str) -> bool:
    if cause == "cancelled":
        return any(event.type == "execution_cancelling" for event in record.events[record.execution.execution_id])
    name = cause.removeprefix("failed:")
    if name not in record.by_name or block.block_id not in record.plan.descendants(name):
        return False
    return any(event.payload["status"] in _BAD for event in record.events[record.by_name[name].id])


def parked_kind(block: BlockExecution) -> WaitKind | None:
    """Return what a block that is parked waits for; None if it is not parked."""
    return next((kind for kind in WaitKind if kind.parked_status is block.status), None)
