"""I1 and I10: whatever has not ended will be looked at again, and what has ended was told to everybody."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import needs_sweep
from workflow_service.domain.ids import is_join
from workflow_service.domain.invariants.blocks import parked_kind
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.outcomes import end_of, ends_execution, failures
from workflow_service.domain.statuses import (
    ApprovalStatus,
    BlockStatus,
    ExecutionStatus,
    WaitKind,
    WaitStatus,
)
from workflow_service.domain.wait import wait_of

_NEED_A_LOOK = frozenset({BlockStatus.READY, BlockStatus.RUNNING, BlockStatus.RETRY_WAIT})


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is forgotten, and what ended as it should not have."""
    yield from _broken_end(record)
    if record.execution.status.is_terminal:
        yield from _left_over(record)
    else:
        yield from _forgotten(record)
    yield from _untold(record)


def _broken_end(record: Record) -> Iterator[Violation]:
    execution, statuses = record.execution, {block.status for block in record.blocks}
    if not execution.status.is_terminal:
        return
    if any(not status.is_terminal for status in statuses):
        still = [block.block_id for block in record.blocks if not block.status.is_terminal]
        yield _stuck(execution.execution_id, f"It is {execution.status.value}, and these have not ended: {still[:20]}.")
        return
    was_cancelled = any(event.payload.get("from") == ExecutionStatus.CANCELLING.value
                        for event in record.events[execution.execution_id][-1:])
    ends = [block for block in record.blocks if block.entry == execution.ended_by
            and ends_execution(record.plan, block)]
    if ends:
        expected = ExecutionStatus(end_of(record.plan, ends[0]).status.value)
    elif was_cancelled:
        expected = ExecutionStatus.FAILED if execution.error else ExecutionStatus.CANCELLED
    elif failures(record.plan, record.blocks):
        expected = ExecutionStatus.FAILED
    elif BlockStatus.CANCELLED in statuses:
        expected = ExecutionStatus.CANCELLED
    else:
        expected = ExecutionStatus.COMPLETED
    if execution.status is not expected:
        yield Violation(invariant="I4", subject=execution.execution_id,
                        message=f"It is {execution.status.value}; by its blocks it is {expected.value}.")


def _left_over(record: Record) -> Iterator[Violation]:
    """Yield requests of an execution that is over and that nobody looks at again."""
    if record.will_be_looked_at(record.execution):
        return
    for wait in record.waits:
        if wait.status is WaitStatus.OPEN and not record.will_be_looked_at(wait):
            yield Violation(invariant="I6", subject=wait.id, message="It is open and its execution is over.")
    for approval in record.approvals:
        if approval.status is ApprovalStatus.PENDING and not record.will_be_looked_at(approval):
            yield Violation(invariant="I6", subject=approval.approval_id,
                            message="A person is asked about an execution that is over.")
    if record.execution.holds or record.execution.restart_targets:
        yield _stuck(record.execution.execution_id, "It is over and has holds or a restart.")


def _forgotten(record: Record) -> Iterator[Violation]:
    """Yield what waits for nobody."""
    execution = record.execution
    looked_at = record.will_be_looked_at(execution)
    if needs_sweep(execution):
        if not looked_at:
            word = execution.status.value if execution.restart_targets is None else "being restarted"
            yield _stuck(execution.execution_id, f"It is {word} and nobody goes on with it.")
        return
    if not looked_at and record.blocks and not any(not block.status.is_terminal or block.due_at
                                                   for block in record.blocks):
        yield _stuck(execution.execution_id, "All its blocks have ended and nobody closes it.")
    for block in record.blocks:
        if block.due_at is None and not block.status.is_terminal:
            yield from _forgotten_block(record, block)


def _forgotten_block(record: Record, block: BlockExecution) -> Iterator[Violation]:
    kind = parked_kind(block)
    if block.status in _NEED_A_LOOK:
        yield _stuck(block.id, f"It is {block.status.value} and nobody looks at it again.")
    elif block.status is BlockStatus.PENDING:
        yield from _forgotten_pending(record, block)
    elif kind is not None:
        identifier = wait_of(block, kind).id
        wait = next((wait for wait in record.waits if wait.id == identifier), None)
        if wait is None or (wait.status is not WaitStatus.OPEN and wait.due_at is None):
            word = "is not there" if wait is None else f"is {wait.status.value}"
            yield _stuck(block.id, f"It is {block.status.value}, and its wait {word}.")
        yield from _unasked(record, block, kind, identifier)


def _unasked(record: Record, block: BlockExecution, kind: WaitKind, identifier: str) -> Iterator[Violation]:
    if kind is not WaitKind.APPROVAL:
        return
    found = [approval for approval in record.approvals if approval.wait_id == identifier]
    if not any(approval.status is ApprovalStatus.PENDING or approval.due_at for approval in found):
        yield _stuck(block.id, "It waits for a person whom nobody asks.")


def _forgotten_pending(record: Record, block: BlockExecution) -> Iterator[Violation]:
    """A pending block waits for at least one edge whose source has not told of its end."""
    sources = [record.by_name.get(entry.rsplit(":", 1)[0]) for entry in block.pending_edges]
    if not any(source is not None and (not source.status.is_terminal or source.due_at) for source in sources):
        yield _stuck(block.id, f"It waits for edges that nobody decides: {list(block.pending_edges)}.")


def _untold(record: Record) -> Iterator[Violation]:
    """Yield ended blocks of which the State Management Service was told something else, or nothing."""
    for block in record.blocks if record.checkpoints is not None else ():
        told = (record.checkpoints or {}).get(block.block_id)
        if is_join(block.block_id) or not block.released or block.due_at is not None or not block.status.is_terminal:
            continue
        if told is None or (told.epoch, told.status) != (block.epoch, block.status):
            word = "nothing" if told is None else f"{told.status.value} of epoch {told.epoch}"
            yield Violation(invariant="I10", subject=block.id, message=f"It is {block.status.value} in epoch "
                            f"{block.epoch}; the State Management Service was told {word}.")


def _stuck(subject: str, message: str) -> Violation:
    return Violation(invariant="I1", subject=subject, message=message)
