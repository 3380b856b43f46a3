"""Approvals over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers, SignedHeaders
from tests.web.fakes import FakeApplication, an_approval
from workflow_service.domain.commands import ApprovalFilter
from workflow_service.domain.statuses import ApprovalStatus

URL = "/api/v1/approvals"


@pytest.fixture(autouse=True)
def approval(service: FakeApplication) -> None:
    """Somebody is asked."""
    service.approvals.stored["a1"] = an_approval()


def test_pending_shows_what_the_user_may_answer(client: CheckedClient, service: FakeApplication,
                                                signed: SignedHeaders) -> None:
    service.approvals.stored["a2"] = an_approval("a2", assigned_to="admin")
    assert [found["approvalId"] for found in client.get(f"{URL}/pending", headers=signed("approver")).json["approvals"]
            ] == ["a1"]
    assert len(client.get(f"{URL}/pending", headers=signed("admin")).json["approvals"]) == 2
    assert client.get(f"{URL}/pending", headers=signed("viewer")).json == {"approvals": []}


def test_get_shows_what_is_asked(client: CheckedClient, admin: Headers) -> None:
    assert client.get(f"{URL}/a1", headers=admin).json == {
        "approvalId": "a1", "workspaceId": "acme", "executionId": "run-1", "blockId": "review", "type": "edit",
        "status": "pending", "title": "Legal review", "payload": {"clauses": [7]},
        "inputSchema": {"type": "object", "properties": {"notes": {"type": "string"}}}, "assignedTo": "approver",
        "escalationLevel": 0, "requestedAt": "2025-08-21T09:30:00.123Z", "overdueAt": "2025-08-22T09:30:00.123Z",
        "respondedAt": None, "approver": None, "response": None, "comments": None}


def test_get_of_another_workspace(client: CheckedClient, signed: SignedHeaders) -> None:
    assert client.get(f"{URL}/a1", headers=signed(workspace="other")).status_code == 404


@pytest.mark.parametrize(("approved", "status"), [(True, ApprovalStatus.APPROVED), (False, ApprovalStatus.REJECTED)])
def test_respond_decides(client: CheckedClient, service: FakeApplication, signed: SignedHeaders,
                         approved: bool, status: ApprovalStatus) -> None:
    body = {"approved": approved, "response": {"notes": "fine"}, "comments": "as agreed"}
    answer = client.post(f"{URL}/a1/respond", json=body, headers=signed("approver", user="bob"))
    assert (answer.status_code, answer.json) == (200, {"success": True})
    decided = service.approvals.stored["a1"]
    assert (decided.status, decided.approver, decided.response, decided.comments) == (
        status, "bob", {"notes": "fine"}, "as agreed")


@pytest.mark.parametrize("more", [{}, {"comments": None}, {"comments": ""}, {"response": {}}])
def test_what_may_be_left_out_may_be_left_out(client: CheckedClient, admin: Headers, more: dict[str, Any]) -> None:
    assert client.post(f"{URL}/a1/respond", json={"approved": True, **more}, headers=admin).status_code == 200


def test_second_answer_is_a_conflict(client: CheckedClient, admin: Headers) -> None:
    client.post(f"{URL}/a1/respond", json={"approved": True}, headers=admin)
    answer = client.post(f"{URL}/a1/respond", json={"approved": False}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (409, "already_decided")
    assert client.get(f"{URL}/a1", headers=admin).json["status"] == "approved"


def test_answer_of_somebody_who_is_not_asked(client: CheckedClient, service: FakeApplication,
                                             signed: SignedHeaders) -> None:
    service.approvals.stored["a1"] = an_approval(assigned_to="admin")
    answer = client.post(f"{URL}/a1/respond", json={"approved": True}, headers=signed("approver"))
    assert (answer.status_code, answer.json["error"]) == (403, "forbidden")


def test_response_that_does_not_fit_the_form(client: CheckedClient, admin: Headers) -> None:
    answer = client.post(f"{URL}/a1/respond", json={"approved": True, "response": {"notes": 7}}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_response")
    assert set(answer.json["errors"]) == {"response.notes"}


def test_answer_to_nothing(client: CheckedClient, admin: Headers) -> None:
    assert client.post(f"{URL}/a9/respond", json={"approved": True}, headers=admin).status_code == 404


@pytest.mark.parametrize(("body", "path"), [
    ({}, "approved"),
    ({"approved": "yes"}, "approved"),
    ({"approved": "false"}, "approved"),
    ({"approved": 1}, "approved"),
    ({"approved": None}, "approved"),
    ({"approved": True, "response": []}, "response"),
    ({"approved": True, "response": None}, "response"),
    ({"approved": True, "comments": 7}, "comments"),
    ({"approved": True, "comments": "x" * 10_001}, "comments"),
    ({"approved": True, "comment": "x"}, "comment"),
])
def test_an_answer_is_not_guessed_at(client: CheckedClient, admin: Headers, service: FakeApplication,
                                     body: dict[str, Any], path: str) -> None:
    answer = client.post(f"{URL}/a1/respond", json=body, headers=admin)
    assert (answer.status_code, set(answer.json["errors"])) == (422, {path})
    assert service.approvals.stored["a1"].status is ApprovalStatus.PENDING


def test_query_becomes_a_filter(client: CheckedClient, admin: Headers, service: FakeApplication) -> None:
    client.get(f"{URL}/pending?executionId=e&blockId=b&type=edit&limit=5", headers=admin)
    assert service.approvals.asked == [ApprovalFilter(execution_id="e", block_id="b", type="edit", limit=5)]


@pytest.mark.parametrize("query", ["type=vote", "executionId=a:b", "blockId=", "limit=1000", "status=pending"])
def test_a_query_that_makes_no_sense_is_refused(client: CheckedClient, admin: Headers, query: str) -> None:
    assert client.get(f"{URL}/pending?{query}", headers=admin).status_code == 422
