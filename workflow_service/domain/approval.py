"""The approval: a question to a person about one block, decided once, escalated when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.errors import AlreadyDecided
from workflow_service.domain.events import Event
from workflow_service.domain.ids import approval_id
from workflow_service.domain.statuses import APPROVAL_TRANSITIONS, ApprovalStatus, check
from workflow_service.domain.template import HumanInLoop
from workflow_service.domain.wait import Wait


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A request to a person."""

    approval_id: str
    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int
    wait_id: str
    ancestors: tuple[str, ...] = ()
    """The ids of the executions that its own is a part of, the outermost first."""
    type: str
    """``approval``, ``edit`` or ``input``."""
    title: str
    payload: Mapping[str, Any]
    """The resolved input of the block: what is approved."""
    input_schema: Mapping[str, Any]
    assigned_to: str
    """The role that may respond."""
    escalate_to: str
    timeout: timedelta
    requested_at: datetime
    overdue_at: datetime
    """When it is escalated next."""
    stopped_for: timedelta = timedelta(0)
    """How long, by then, deadlines of the execution had stood still: what ``overdue_at`` takes account of."""
    status: ApprovalStatus = ApprovalStatus.PENDING
    version: int = 0
    escalation_level: int = 0
    responded_at: datetime | None = None
    approver: str | None = None
    response: Mapping[str, Any] | None = None
    comments: str | None = None
    due_at: datetime | None = None
    outbox: tuple[Event, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person answered."""

    approved: bool
    approver: str
    response: Mapping[str, Any] = field(default_factory=dict)
    comments: str | None = None


def request(wait: Wait, gate: HumanInLoop, title: str, payload: Mapping[str, Any], timeout: timedelta,
            at: datetime, stopped_for: timedelta = timedelta(0), ancestors: tuple[str, ...] = ()) -> Approval:
    """Return the approval that belongs to a wait.

    Args:
        timeout: until it is escalated.
        ancestors: the executions that its own is a part of.
        stopped_for: how long deadlines of the execution have stood still so far.
    """
    approval = Approval(
        approval_id=approval_id(wait.id), workspace_id=wait.workspace_id, execution_id=wait.execution_id,
        block_id=wait.block_id, epoch=wait.epoch, wait_id=wait.id, type=gate.type, title=title, payload=payload,
        input_schema=gate.input_schema, assigned_to=gate.approval_level, escalate_to=gate.escalate_to, timeout=timeout,
        requested_at=at, overdue_at=at + timeout, stopped_for=stopped_for, ancestors=ancestors)
    return _record(approval, "approval_requested", at)


def decide(approval: Approval, decision: Decision, at: datetime) -> Approval:
    """Record a person's answer.

    Raises:
        AlreadyDecided: it is not pending any more.
    """
    if approval.status is not ApprovalStatus.PENDING:
        raise AlreadyDecided(approval.approval_id, approval.status.value, approval.approver)
    status = ApprovalStatus.APPROVED if decision.approved else ApprovalStatus.REJECTED
    return _record(replace(approval, status=status, responded_at=at, approver=decision.approver,
                           response=dict(decision.response), comments=decision.comments), "approval_responded", at)


def escalate(approval: Approval, at: datetime) -> Approval:
    """Give an overdue request to the role above and wait for as long again, counted from now."""
    return _record(replace(approval, escalation_level=approval.escalation_level + 1, assigned_to=approval.escalate_to,
                           overdue_at=at + approval.timeout), "approval_timeout", at)


def postpone(approval: Approval, stopped_for: timedelta, at: datetime) -> Approval | None:
    """Move the deadline by as long as deadlines stood still since it was set; None if they did not.

    Args:
        stopped_for: how long those of the execution have stood still in all.
    """
    if stopped_for <= approval.stopped_for:
        return None
    later = approval.overdue_at + (stopped_for - approval.stopped_for)
    return _record(replace(approval, overdue_at=later, stopped_for=stopped_for), "approval_postponed", at)


def withdraw(approval: Approval, status: ApprovalStatus, at: datetime) -> Approval:
    """End a request that nobody needs to answer any more (cancelled or superseded)."""
    check(APPROVAL_TRANSITIONS, "approval", approval.approval_id, approval.status, status)
    return _record(replace(approval, status=status), f"approval_{status.value}", at)


def verdict(approval: Approval) -> dict[str, Any]:
    """Return what the block is told (JSON)."""
    return {"approved": approval.status is ApprovalStatus.APPROVED, "approver": approval.approver,
            "response": approval.response, "comments": approval.comments, "type": approval.type}


def at_rest(approval: Approval) -> Approval:
    """Return the approval as it is when everybody knows of it: pending ones are looked at when overdue."""
    return replace(approval, due_at=approval.overdue_at if approval.status is ApprovalStatus.PENDING else None)


def _record(approval: Approval, event_type: str, at: datetime) -> Approval:
    event = Event(type=event_type, workspace_id=approval.workspace_id, execution_id=approval.execution_id,
                  block_id=approval.block_id, source=approval.approval_id, version=approval.version + 1, at=at,
                  payload={"approvalId": approval.approval_id, "status": approval.status.value,
                           "assignedTo": approval.assigned_to, "escalationLevel": approval.escalation_level,
                           "approver": approval.approver, "epoch": approval.epoch})
    return replace(approval, version=approval.version + 1, outbox=(*approval.outbox, event), due_at=at)
