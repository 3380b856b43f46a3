"""What the end of a block means: to each block after it, and to its execution.

The one place that reads failure policies. A failure that the template handles decides its edges as any good end does;
one that it does not handle decides none: whatever follows is cancelled, and the execution fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.edges import branch_targets, failure_targets
from workflow_service.domain.execution import Execution
from workflow_service.domain.flow import BlockKind, End, EndStatus, FailureAction
from workflow_service.domain.plan import Node, Plan
from workflow_service.domain.statuses import FAILURES, BlockStatus, ExecutionStatus
from workflow_service.domain.template import Block


def fails_execution(plan: Plan, block: BlockExecution) -> bool:
    """Say whether this end makes the execution fail: a failure, or a person's no, that the template does not handle."""
    described = plan.nodes[block.block_id].block
    return block.status in FAILURES and (described is None or described.on_failure.action is FailureAction.FAIL)


def is_without_outcome(plan: Plan, block: BlockExecution) -> bool:
    """Say whether a block has ended in a way after which nothing decides the edges to its successors."""
    return block.status is BlockStatus.CANCELLED or fails_execution(plan, block)


def is_satisfied(plan: Plan, source: BlockExecution, successor: Node) -> bool:
    """Say what an ended block's edge to a successor came to: satisfied, or dead."""
    block = plan.nodes[source.block_id].block
    if source.status is BlockStatus.COMPLETED:
        return block is None or _leads_on(block, source, successor.target)
    if source.status not in FAILURES or block is None:
        return False
    if block.on_failure.action is FailureAction.BRANCH:
        return successor.target in failure_targets(block)
    return block.on_failure.action is FailureAction.CONTINUE and successor.target not in branch_targets(block)


def failures(plan: Plan, blocks: Iterable[BlockExecution]) -> list[BlockExecution]:
    """Return the blocks that make their execution fail, the first failure first."""
    return sorted((block for block in blocks if fails_execution(plan, block)),
                  key=lambda block: (block.completed_at is None, block.completed_at))


def as_read(block: BlockExecution) -> dict[str, Any] | None:
    """Return what expressions read of a block: its output, or the error of its failure; None if it has neither."""
    if block.status is BlockStatus.COMPLETED:
        return {"output": block.output, "status": block.status.value}
    return {"error": block.error, "status": block.status.value} if block.status in FAILURES else None


def ends_execution(plan: Plan, block: BlockExecution) -> bool:
    """Say whether this end is that of the whole execution: an end block that really ran."""
    described = plan.nodes[block.block_id].block
    return (block.status is BlockStatus.COMPLETED and block.supplied is None
            and described is not None and described.kind is BlockKind.END)


def outcome(plan: Plan, execution: Execution,
            blocks: Iterable[BlockExecution]) -> tuple[ExecutionStatus, Mapping[str, Any] | None]:
    """Return how an execution whose blocks have all ended ends, and why if it did not end well.

    An end block that ended it comes first, then whoever cancelled it, then what failed.
    """
    found = tuple(blocks)
    for block in found:
        if block.entry == execution.ended_by and ends_execution(plan, block):
            end = end_of(plan, block)
            return ExecutionStatus(end.status.value), end_error(block.block_id, end)
    if execution.status is ExecutionStatus.CANCELLING:
        return (ExecutionStatus.FAILED if execution.error else ExecutionStatus.CANCELLED), execution.error
    failed = failures(plan, found)
    if failed:
        return ExecutionStatus.FAILED, {**(failed[0].error or {}), "blockId": failed[0].block_id}
    cancelled = any(block.status is BlockStatus.CANCELLED for block in found)
    return (ExecutionStatus.CANCELLED if cancelled else ExecutionStatus.COMPLETED), None


def end_of(plan: Plan, block: BlockExecution) -> End:
    """Return what the template says of an end block."""
    described = plan.nodes[block.block_id].block
    assert described is not None and described.end is not None, "only end blocks have an end"
    return described.end


def end_error(block_id: str, end: End) -> Mapping[str, Any] | None:
    """Return the error of an execution that an end block ended; None if it did not fail by that."""
    if end.status is not EndStatus.FAILED:
        return None
    return {"code": "ended_by_block", "blockId": block_id, "message": end.message or "The workflow says so."}


def _leads_on(block: Block, source: BlockExecution, target: str) -> bool:
    """Say whether a completed block leads to a block after it."""
    if target in failure_targets(block):
        return False
    return target not in branch_targets(block) or target in (source.chosen or ())
