"""Approvals: who is asked what, the oldest question first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, LEASE, NOW, SECOND, new_approval
from workflow_service.domain.approval import Decision, decide, postpone
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.services.ports import ApprovalRepository

ANY: dict[str, Any] = {"roles": None, "execution_id": None, "block_id": None, "type": None, "limit": 10}


def test_all_fields_come_back(approval_repository: ApprovalRepository) -> None:
    approval = new_approval(
        status=ApprovalStatus.REJECTED, version=3, input_schema={"$schema": "x", "properties": {"a.b": {}}},
        escalation_level=2, responded_at=NOW, approver="ben", response={"amount": 4}, comments="Too much.",
        due_at=NOW + LEASE, stopped_for=timedelta(days=3, milliseconds=7))
    approval_repository.insert(approval)
    assert approval_repository.get(HERE, "a1") == approval


@pytest.fixture
def questions(approval_repository: ApprovalRepository) -> ApprovalRepository:
    """Four questions that nobody answered, the first the latest, one that was, and one elsewhere."""
    for approval in (
            new_approval("a1", requested_at=NOW + 3 * SECOND), new_approval("a2", assigned_to="admin"),
            new_approval("a3", execution_id="x2", requested_at=NOW + SECOND),
            new_approval("a4", block_id="b2", type="edit", requested_at=NOW + 2 * SECOND),
            new_approval("a5", status=ApprovalStatus.APPROVED), new_approval("a6", workspace_id=ELSEWHERE)):
        approval_repository.insert(approval)
    return approval_repository


@pytest.mark.parametrize(("asked", "expected"), [
    ({}, ["a2", "a3", "a4", "a1"]),
    ({"roles": ["approver"]}, ["a3", "a4", "a1"]),
    ({"roles": ["admin", "viewer"]}, ["a2"]),
    ({"roles": []}, []),
    ({"execution_id": "x1"}, ["a2", "a4", "a1"]),
    ({"block_id": "b2"}, ["a4"]),
    ({"type": "edit"}, ["a4"]),
    ({"type": "edit", "execution_id": "x2"}, []),
    ({"limit": 2}, ["a2", "a3"]),
])
def test_pending_approvals(questions: ApprovalRepository, asked: dict[str, Any], expected: list[str]) -> None:
    found = questions.pending(HERE, **{**ANY, **asked})
    assert [approval.approval_id for approval in found] == expected


def test_other_workspace_sees_only_its_own(questions: ApprovalRepository) -> None:
    assert [approval.approval_id for approval in questions.pending(ELSEWHERE, **ANY)] == ["a6"]
    assert [approval.approval_id for approval in questions.of_execution(ELSEWHERE, "x1")] == ["a6"]


def test_all_of_an_execution_the_oldest_first(questions: ApprovalRepository) -> None:
    found = questions.of_execution(HERE, "x1")
    assert [approval.approval_id for approval in found] == ["a2", "a5", "a4", "a1"]


def test_decision_counts_once(approval_repository: ApprovalRepository) -> None:
    asked = new_approval()
    approval_repository.insert(asked)
    first = decide(asked, Decision(approved=True, approver="ann"), NOW)
    assert approval_repository.change(asked, first)
    assert not approval_repository.change(asked, decide(asked, Decision(approved=False, approver="ben"), NOW))
    assert approval_repository.get(HERE, "a1") == first
    assert approval_repository.pending(HERE, **ANY) == []


def test_what_a_pause_moves_comes_back(approval_repository: ApprovalRepository) -> None:
    asked = new_approval()
    approval_repository.insert(asked)
    later = postpone(asked, timedelta(days=3, milliseconds=7), NOW)
    assert later is not None and approval_repository.change(asked, later)
    assert approval_repository.get(HERE, "a1") == later
