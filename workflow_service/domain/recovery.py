"""What is kept so that an execution can start again: checkpoints of blocks and recovery points of executions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import BlockStatus


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What the State Management Service is told of a block."""

    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int
    fence: int
    status: BlockStatus
    retry_count: int
    agent_id: str | None = None
    input: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RecoveryPoint:
    """A moment of an execution from which it may start again."""

    point_id: str
    workspace_id: str
    execution_id: str
    timestamp: datetime
    state: Mapping[str, Any]
    """Statuses and epochs of all blocks, by block id."""
    completed_blocks: tuple[str, ...]


def checkpoint_of(block: BlockExecution) -> Checkpoint:
    """Return the checkpoint of a block as it stands."""
    return Checkpoint(
        workspace_id=block.workspace_id, execution_id=block.execution_id, block_id=block.block_id, epoch=block.epoch,
        fence=block.fence, status=block.status, retry_count=block.retry_count, agent_id=block.agent_id,
        input=block.input, output=block.output, error=block.error, started_at=block.started_at,
        completed_at=block.completed_at)


def recovery_point_of(execution: Execution, blocks: tuple[BlockExecution, ...], at: datetime) -> RecoveryPoint:
    """Return the recovery point of an execution as it stands.

    Its id is the execution's id and the instant in milliseconds, so storing it twice is harmless.
    """
    completed = tuple(block.block_id for block in blocks if block.status is BlockStatus.COMPLETED)
    state = {block.block_id: {"status": block.status.value, "epoch": block.epoch} for block in blocks}
    return RecoveryPoint(point_id=f"{execution.execution_id}-{int(at.timestamp() * 1000)}",
                         workspace_id=execution.workspace_id, execution_id=execution.execution_id, timestamp=at,
                         state=state, completed_blocks=completed)
