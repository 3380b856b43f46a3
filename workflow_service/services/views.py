"""How an execution is shown: the shape of section 4.2 of the customer's document, camelCase, instants as datetimes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution, stood_still
from workflow_service.domain.outcomes import fails_execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.recovery import RecoveryPoint
from workflow_service.domain.statuses import IN_FLIGHT, ApprovalStatus, BlockStatus
from workflow_service.domain.wait import Wait, moved_deadline

_NO_CHILDREN: Mapping[tuple[str, int], Mapping[str, int]] = {}
_CURRENT = frozenset({BlockStatus.READY, BlockStatus.RUNNING, BlockStatus.RETRY_WAIT})


def summary(execution: Execution) -> dict[str, Any]:
    """Return an execution without its blocks."""
    return {"executionId": execution.execution_id, "templateId": execution.template_id,
            "templateVersion": execution.template_version, "workspaceId": execution.workspace_id,
            "status": execution.status.value, "createdAt": execution.created_at, "startedAt": execution.started_at,
            "completedAt": execution.completed_at, "createdBy": execution.created_by, "tags": list(execution.tags),
            "attributes": execution.attributes, "error": execution.error, "holds": list(execution.holds),
            "parent": None if execution.parent is None else {
                "executionId": execution.parent.execution_id, "blockId": execution.parent.block_id,
                "index": execution.parent.index},
            "clock": "running" if execution.stopped_since is None else "stopped", "reason": execution.reason,
            "generation": execution.generation}


def details(plan: Plan, execution: Execution, blocks: Sequence[BlockExecution],
            approvals: Iterable[tuple[str, Approval]], points: Iterable[RecoveryPoint], waits: Iterable[Wait],
            at: datetime,
            output: Mapping[str, Any] | None = None,
            children: Mapping[tuple[str, int], Mapping[str, int]] = _NO_CHILDREN) -> dict[str, Any]:
    """Return an execution with all that happened to its blocks.

    Args:
        plan: that of the execution.
        blocks: in the order of the plan, without the compiler's joins.
        approvals: each with the block that it is in, itself or by something that is a part of the block.
        waits: those that are open.
        at: the present instant.
        output: what it gives; None before it has completed.
        children: how many executions of each block, by its epoch, have which status.
    """
    awaited = {wait.block_id: _awaited(wait, stood_still(execution, at)) for wait in waits}
    asked: dict[str, list[dict[str, Any]]] = {}
    for block_id, approval in approvals:
        asked.setdefault(block_id, []).append(_interaction(approval))
    return {**summary(execution),
            "input": execution.input,
            "output": output,
            "currentBlocks": _names(blocks, _CURRENT),
            "completedBlocks": _names(blocks, frozenset({BlockStatus.COMPLETED})),
            "failedBlocks": [block.block_id for block in blocks if fails_execution(plan, block)],
            "inFlight": [{"blockId": block.block_id, "status": block.status.value} for block in blocks
                         if block.status in IN_FLIGHT],
            "blockedBlocks": [block.block_id for block in blocks if block.status.is_parked],
            "blockExecutions": [{**_block(block, asked.get(block.block_id, []),
                                          children.get((block.block_id, block.epoch), {})),
                                 "waitingFor": awaited.get(block.block_id) if block.status.is_parked else None}
                                for block in blocks],
            "globalContext": execution.context,
            "recoveryPoints": [{"timestamp": point.timestamp, "state": point.state,
                                "completedBlocks": list(point.completed_blocks)} for point in points]}


def _awaited(wait: Wait, stopped_for: timedelta) -> dict[str, Any]:
    signals = {"signals": list(wait.signals), "mode": wait.signal_mode.value} if wait.signals else {}
    return {"kind": wait.kind.value, "until": moved_deadline(wait, stopped_for), **signals}


def _names(blocks: Iterable[BlockExecution], statuses: frozenset[BlockStatus]) -> list[str]:
    return [block.block_id for block in blocks if block.status in statuses]


def _block(block: BlockExecution, interactions: list[dict[str, Any]], children: Mapping[str, int]) -> dict[str, Any]:
    return {"blockId": block.block_id, "executionId": block.execution_id, "agentId": block.agent_id,
            "status": block.status.value, "startedAt": block.started_at, "completedAt": block.completed_at,
            "input": block.input, "output": block.output, "error": block.error, "retryCount": block.retry_count,
            "attempt": block.attempt,
            "nextAttemptAt": block.retry_at, "suppliedBy": (block.supplied or {}).get("by"),
            "epoch": block.epoch, "humanInteractions": interactions, "children": dict(children)}


def _interaction(approval: Approval) -> dict[str, Any]:
    answered = approval.status in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)
    response = {"approved": approval.status is ApprovalStatus.APPROVED, "response": approval.response,
                "comments": approval.comments}
    return {"approvalId": approval.approval_id, "executionId": approval.execution_id, "type": approval.type,
            "status": approval.status.value,
            "requestedAt": approval.requested_at, "respondedAt": approval.responded_at,
            "response": response if answered else None, "approver": approval.approver}
