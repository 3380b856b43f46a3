"""Approvals: asked, decided once, escalated, withdrawn; each change is one version with its event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.builders import LATER, NOW, a_gate, a_wait
from workflow_service.domain import approval as approvals
from workflow_service.domain.approval import Approval, Decision
from workflow_service.domain.errors import AlreadyDecided, Conflict, IllegalTransition
from workflow_service.domain.ids import approval_id
from workflow_service.domain.statuses import ApprovalStatus

DAY = timedelta(days=1)
FORM = {"type": "object", "properties": {"note": {"type": "string"}}}
ASKED = approvals.request(a_wait(epoch=2), a_gate(type="edit", approval_level="operator", escalate_to="designer",
                                                  input_schema=FORM), "Look at it", {"clause": 7}, DAY, NOW)
PENDING = replace(ASKED, outbox=())
YES = Decision(approved=True, approver="ada", response={"note": "fine"}, comments="ok")
NO = Decision(approved=False, approver="bob")
OVER = [status for status in ApprovalStatus if status is not ApprovalStatus.PENDING]


def test_a_request_says_what_is_asked_of_whom() -> None:
    assert ASKED == Approval(
        approval_id=approval_id("run:a:2:approval:0"), workspace_id="acme", execution_id="run", block_id="a", epoch=2,
        wait_id="run:a:2:approval:0", type="edit", title="Look at it", payload={"clause": 7}, input_schema=FORM,
        assigned_to="operator", escalate_to="designer", timeout=DAY, requested_at=NOW, overdue_at=NOW + DAY,
        status=ApprovalStatus.PENDING, version=1, due_at=NOW, outbox=ASKED.outbox)


@pytest.mark.parametrize(("change", "event_type", "status"), [
    (lambda one: approvals.decide(one, YES, LATER), "approval_responded", "approved"),
    (lambda one: approvals.decide(one, NO, LATER), "approval_responded", "rejected"),
    (lambda one: approvals.escalate(one, LATER), "approval_timeout", "pending"),
    (lambda one: approvals.postpone(one, DAY, LATER) or one, "approval_postponed", "pending"),
    (lambda one: approvals.withdraw(one, ApprovalStatus.CANCELLED, LATER), "approval_cancelled", "cancelled"),
    (lambda one: approvals.withdraw(one, ApprovalStatus.SUPERSEDED, LATER), "approval_superseded", "superseded")])
def test_each_change_makes_a_version_with_its_event(change: Callable[[Approval], Approval], event_type: str,
                                                    status: str) -> None:
    after = change(PENDING)
    (event,) = after.outbox
    assert (after.status, after.version, after.due_at) == (status, 2, LATER)
    assert (event.type, event.source, event.version, event.at) == (event_type, PENDING.approval_id, 2, LATER)
    assert (event.workspace_id, event.execution_id, event.block_id) == ("acme", "run", "a")
    assert event.payload == {
        "approvalId": PENDING.approval_id, "status": status, "assignedTo": after.assigned_to, "epoch": 2,
        "escalationLevel": after.escalation_level, "approver": after.approver}


def test_the_request_is_an_event_too() -> None:
    (event,) = ASKED.outbox
    assert (event.type, event.version, event.payload["status"]) == ("approval_requested", 1, "pending")


def test_a_decision_is_kept_and_told() -> None:
    decided = approvals.decide(PENDING, YES, LATER)
    assert (decided.responded_at, decided.approver, decided.response, decided.comments) == (
        LATER, "ada", {"note": "fine"}, "ok")
    assert approvals.verdict(decided) == {"approved": True, "approver": "ada", "response": {"note": "fine"},
                                          "comments": "ok", "type": "edit"}
    assert approvals.verdict(approvals.decide(PENDING, NO, LATER)) == {
        "approved": False, "approver": "bob", "response": {}, "comments": None, "type": "edit"}


@pytest.mark.parametrize("status", OVER)
def test_it_is_decided_once(status: ApprovalStatus) -> None:
    over = replace(PENDING, status=status, approver="ada")
    with pytest.raises(AlreadyDecided, match=f"is {status.value} by ada already") as raised:
        approvals.decide(over, NO, LATER)
    assert isinstance(raised.value, Conflict)
    assert raised.value.approval_id == PENDING.approval_id
    with pytest.raises(IllegalTransition):
        approvals.withdraw(over, ApprovalStatus.CANCELLED, LATER)


def test_it_is_escalated_to_the_same_role_again_and_again() -> None:
    once = approvals.escalate(PENDING, LATER)
    assert (once.assigned_to, once.escalation_level, once.overdue_at) == ("designer", 1, LATER + DAY)
    twice = approvals.escalate(once, LATER + DAY)
    assert (twice.assigned_to, twice.escalation_level, twice.overdue_at) == ("designer", 2, LATER + 2 * DAY)
    assert approvals.decide(twice, YES, LATER).status is ApprovalStatus.APPROVED


def test_at_rest_it_is_looked_at_when_it_is_overdue() -> None:
    assert approvals.at_rest(PENDING).due_at == NOW + DAY
    assert approvals.at_rest(approvals.escalate(PENDING, LATER)).due_at == LATER + DAY
    assert approvals.at_rest(approvals.decide(PENDING, YES, LATER)).due_at is None
    assert approvals.at_rest(PENDING).version == PENDING.version


def test_a_request_knows_how_long_deadlines_had_stood_still_when_it_was_made() -> None:
    asked = approvals.request(a_wait(), a_gate(), "Look at it", {}, DAY, NOW, 3 * DAY)
    assert (asked.stopped_for, asked.overdue_at) == (3 * DAY, NOW + DAY)
    assert ASKED.stopped_for == timedelta(0)


def test_a_deadline_moves_by_as_long_as_deadlines_stood_still_since() -> None:
    asked = replace(PENDING, stopped_for=2 * DAY)
    later = approvals.postpone(asked, 5 * DAY, LATER)
    assert later is not None
    assert (later.overdue_at, later.stopped_for, later.status) == (NOW + 4 * DAY, 5 * DAY, ApprovalStatus.PENDING)
    assert (later.assigned_to, later.escalation_level) == (asked.assigned_to, asked.escalation_level)
    assert approvals.at_rest(later).due_at == NOW + 4 * DAY


@pytest.mark.parametrize("stopped_for", [timedelta(0), DAY, 2 * DAY])
def test_a_deadline_that_did_not_stand_still_does_not_move(stopped_for: timedelta) -> None:
    assert approvals.postpone(replace(PENDING, stopped_for=2 * DAY), stopped_for, LATER) is None


def test_a_deadline_moves_by_each_stop_once() -> None:
    once = approvals.postpone(PENDING, DAY, LATER)
    assert once is not None and approvals.postpone(once, DAY, LATER) is None
    twice = approvals.postpone(once, 3 * DAY, LATER)
    assert twice is not None
    assert (twice.overdue_at, twice.version) == (NOW + 4 * DAY, PENDING.version + 2)


def test_the_deadline_after_an_escalation_moves_as_well() -> None:
    moved = approvals.postpone(approvals.escalate(PENDING, LATER), DAY, LATER)
    assert moved is not None and moved.overdue_at == LATER + 2 * DAY
