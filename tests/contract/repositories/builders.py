"""Domain values with defaults, for tests of the repositories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.signal import Signal
from workflow_service.domain.standing_hold import StandingHold
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus, WaitKind
from workflow_service.domain.wait import Wait
from workflow_service.services.ports import StoredTemplate

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
HERE = "workspace-a"
ELSEWHERE = "workspace-b"


def new_execution(execution_id: str = "x1", **fields: Any) -> Execution:
    """Return an execution that runs."""
    defaults: dict[str, Any] = {"workspace_id": HERE, "template_id": "t1", "template_version": "1.0.0",
                                "created_by": "ann", "created_at": NOW, "status": ExecutionStatus.RUNNING,
                                "started_at": NOW}
    return Execution(execution_id=execution_id, **{**defaults, **fields})


def new_block(block_id: str = "b1", **fields: Any) -> BlockExecution:
    """Return a block that is ready."""
    defaults: dict[str, Any] = {"workspace_id": HERE, "execution_id": "x1", "agent_id": "agent",
                                "status": BlockStatus.READY, "due_at": NOW}
    return BlockExecution(block_id=block_id, **{**defaults, **fields})


def new_wait(block_id: str = "b1", **fields: Any) -> Wait:
    """Return an open wait for an approval."""
    defaults: dict[str, Any] = {"workspace_id": HERE, "execution_id": "x1", "epoch": 1, "kind": WaitKind.APPROVAL}
    return Wait(block_id=block_id, **{**defaults, **fields})


def new_signal(signal_id: str = "s1", **fields: Any) -> Signal:
    """Return a signal that is kept."""
    defaults: dict[str, Any] = {"workspace_id": HERE, "execution_id": "x1", "name": "go", "sent_at": NOW,
                                "sent_by": "ann", "payload": {"n": 1}}
    return Signal(signal_id=signal_id, **{**defaults, **fields})


def new_approval(approval_id: str = "a1", **fields: Any) -> Approval:
    """Return a request that nobody answered yet."""
    defaults: dict[str, Any] = {
        "workspace_id": HERE, "execution_id": "x1", "block_id": "b1", "epoch": 1, "wait_id": "x1:b1:1:approval:0",
        "type": "approval", "title": "Ship it?", "payload": {"amount": 3}, "input_schema": {}, "requested_at": NOW,
        "assigned_to": "approver", "escalate_to": "admin", "timeout": LEASE, "overdue_at": NOW + LEASE}
    return Approval(approval_id=approval_id, **{**defaults, **fields})


def new_checkpoint(block_id: str = "b1", **fields: Any) -> Checkpoint:
    """Return the checkpoint of a completed block."""
    defaults: dict[str, Any] = {"workspace_id": HERE, "execution_id": "x1", "epoch": 1, "fence": 1,
                                "status": BlockStatus.COMPLETED, "retry_count": 0, "output": {"sum": 1}}
    return Checkpoint(block_id=block_id, **{**defaults, **fields})


def new_event(source: str = "x1:b1", version: int = 1, **fields: Any) -> Event:
    """Return an event of a block."""
    defaults: dict[str, Any] = {"type": "block_completed", "workspace_id": HERE, "execution_id": "x1", "at": NOW,
                                "block_id": "b1", "payload": {"status": "completed"}}
    return Event(source=source, version=version, **{**defaults, **fields})


def new_template(template_id: str = "t1", *, workspace_id: str = HERE, created_at: datetime = NOW,
                 **document: Any) -> StoredTemplate:
    """Return a template of one block."""
    defaults: dict[str, Any] = {"name": "Order", "version": "1.0.0",
                                "blocks": [{"blockId": "b1", "agentId": "agent", "toolType": "api"}]}
    return StoredTemplate(workspace_id=workspace_id, created_by="ann", created_at=created_at, updated_at=created_at,
                          document={"templateId": template_id, **defaults, **document})


def new_hold(hold_id: str = "h1", **fields: Any) -> StandingHold:
    """Return a hold on a template that is being applied."""
    defaults: dict[str, Any] = {"scope": HoldScope.TEMPLATE, "target": "t1", "workspace_id": HERE,
                                "clock": ClockRule.STOP, "reason": None, "created_by": "ann", "created_at": NOW}
    return StandingHold(hold_id=hold_id, **{**defaults, **fields})
