"""I6 and I11: an approval is decided once and obeyed, and escalated level by level, not early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workflow_service.domain import approval as approvals
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.ids import approval_id, wait_id
from workflow_service.domain.invariants.record import Record, Violation
from workflow_service.domain.statuses import ApprovalStatus, WaitKind, WaitStatus
from workflow_service.domain.wait import Wait

_DECIDED = frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED})


def broken(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with approvals and with those who waited for them."""
    waits = {wait.id: wait for wait in record.waits}
    requests = {approval.approval_id: approval for approval in record.approvals}
    for approval in record.approvals:
        yield from _broken_approval(approval, waits.get(approval.wait_id), record.events[approval.approval_id])
    for wait in record.waits:
        yield from _broken_wait(wait, requests)
    for block in record.blocks:
        yield from _broken_block(record, block, requests, waits)


def _broken_approval(approval: Approval, wait: Wait | None, events: Sequence[Event]) -> Iterator[Violation]:
    decisions = [event for event in events if event.type == "approval_responded"]
    if len(decisions) != (approval.status in _DECIDED):
        yield _broken(approval.approval_id, f"It is {approval.status.value} and was decided {len(decisions)} times.")
    if wait is None:
        yield _broken(approval.approval_id, "Its wait is not stored.")
    levels = [(event.payload["escalationLevel"], event.at) for event in events if event.type == "approval_timeout"]
    if [level for level, _ in levels] != list(range(1, approval.escalation_level + 1)):
        yield _late(approval, f"It is at level {approval.escalation_level}, its escalations were {levels}.")
    for level, at in levels:
        if at < approval.requested_at + level * approval.timeout:
            yield _late(approval, f"Level {level} came early, at {at.isoformat()}.")


def _broken_wait(wait: Wait, requests: Mapping[str, Approval]) -> Iterator[Violation]:
    if wait.kind is not WaitKind.APPROVAL or wait.status is not WaitStatus.FIRED:
        return
    approval = requests.get(approval_id(wait.id))
    if approval is None or approval.status not in _DECIDED:
        yield _broken(wait.id, "It fired and nobody had decided.")
    elif dict(wait.payload or {}) != approvals.verdict(approval):
        yield _broken(wait.id, f"It fired with {wait.payload}, decided was {approvals.verdict(approval)}.")


def _broken_block(record: Record, block: BlockExecution, requests: Mapping[str, Approval],
                  waits: Mapping[str, Wait]) -> Iterator[Violation]:
    """Compare what became of a block behind a gate with what was decided, in each epoch that is told of."""
    node = record.plan.nodes.get(block.block_id)
    if node is None or not node.has_gate:
        return
    for event in record.events[block.id]:
        if record.is_of_an_older_plan(event):
            continue
        identifier = wait_id(block.execution_id, block.block_id, event.payload["epoch"], WaitKind.APPROVAL.value)
        approval, wait = requests.get(approval_id(identifier)), waits.get(identifier)
        if event.payload["cause"] == "approval_fired" and (wait is None or wait.status is not WaitStatus.FIRED):
            yield _broken(event.event_id, "It went on before anybody had decided.")
        completed = event.type == "block_completed" and event.payload["cause"] != "supplied"
        if completed and not _was(approval, ApprovalStatus.APPROVED, event):
            yield _broken(event.event_id, "It completed without an approval.")
        if event.type == "block_rejected" and not _was(approval, ApprovalStatus.REJECTED, event):
            yield _broken(event.event_id, "It was rejected by nobody.")


def _was(approval: Approval | None, status: ApprovalStatus, event: Event) -> bool:
    decided_at = approval.responded_at if approval is not None and approval.status is status else None
    return decided_at is not None and decided_at <= event.at


def _broken(subject: str, message: str) -> Violation:
    return Violation(invariant="I6", subject=subject, message=message)


def _late(approval: Approval, message: str) -> Violation:
    return Violation(invariant="I11", subject=approval.approval_id, message=message)
