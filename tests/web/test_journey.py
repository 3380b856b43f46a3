"""The way of an execution over HTTP, with the real service behind it."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application


@pytest.fixture
def worker() -> HandWorker:
    """A worker."""
    return HandWorker()


@pytest.fixture
def real(worker: HandWorker) -> Application:
    """The real service."""
    return a_real_service(SECRET, worker)


@pytest.fixture
def app(edge: Flask, real: Application) -> Flask:
    """The edge around the real service."""
    provide(edge, real)
    return edge


@pytest.mark.parametrize(("approved", "status", "reviewed"), [
    (True, "completed", "completed"), (False, "failed", "rejected")])
def test_from_template_to_end(client: CheckedClient, real: Application, worker: HandWorker, signed: SignedHeaders,
                              approved: bool, status: str, reviewed: str) -> None:
    # Given a template and an execution of it
    assert client.post("/api/v1/templates", json=TEMPLATE, headers=signed("designer")).status_code == 201
    started = client.post("/api/v1/executions", json=START, headers=signed("operator", user="olga"))
    assert started.status_code == 201
    where = started.headers["Location"]
    worker.work(real)

    # When it waits for a person
    waiting = client.get(where, headers=signed("viewer")).json
    assert (waiting["completedBlocks"], waiting["blockedBlocks"]) == (["extract"], ["review"])
    assert waiting["createdBy"] == "olga"
    [asked] = client.get("/api/v1/approvals/pending", headers=signed("approver")).json["approvals"]
    assert asked["payload"] == {"clauses": [7]}
    assert asked["approvalId"] == waiting["blockExecutions"][1]["humanInteractions"][0]["approvalId"]

    # Then the answer lets it go on to its end
    answer = {"approved": approved, "response": {"notes": "Clause 7."}}
    respond = f"/api/v1/approvals/{asked['approvalId']}/respond"
    assert client.post(respond, json=answer, headers=signed("approver", user="bob")).json == {"success": True}
    assert client.post(respond, json=answer, headers=signed("approver")).status_code == 409
    worker.work(real)
    ended = client.get(where, headers=signed("viewer")).json
    assert ended["status"] == status
    assert [block["status"] for block in ended["blockExecutions"]] == ["completed", reviewed]
    assert ended["blockExecutions"][1]["humanInteractions"][0]["approver"] == "bob"
    listed = client.get("/api/v1/executions", headers=signed("viewer")).json
    assert (listed["total"], listed["executions"][0]["status"]) == (1, status)
    assert client.get(f"/api/v1/executions?status={status}", headers=signed("viewer")).json["total"] == 1
    assert client.get("/api/v1/approvals/pending", headers=signed("approver")).json == {"approvals": []}


def test_templates_are_found_again(client: CheckedClient, admin: Headers) -> None:
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    for query, total in {"category=legal": 1, "category=other": 0, "tags=legal&tags=documents": 1, "tags=x": 0,
                         "search=CONTRACT": 1, "search=zebra": 0}.items():
        assert client.get(f"/api/v1/templates?{query}", headers=admin).json["total"] == total, query


def test_a_template_with_faults_names_them_all(client: CheckedClient, admin: Headers) -> None:
    first, second = TEMPLATE["blocks"]
    blocks = [{**first, "dependencies": ["review"]}, {**second, "agentId": "nobody"}]
    answer = client.post("/api/v1/templates", json={**TEMPLATE, "blocks": blocks}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_template")
    assert {path: faults[0]["code"] for path, faults in answer.json["errors"].items()} == {
        "blocks": "cycle", "blocks[1].agentId": "unknown_agent"}


def test_a_response_that_does_not_fit(client: CheckedClient, real: Application, worker: HandWorker,
                                      admin: Headers) -> None:
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    client.post("/api/v1/executions", json=START, headers=admin)
    worker.work(real)
    [asked] = client.get("/api/v1/approvals/pending", headers=admin).json["approvals"]
    answer = client.post(f"/api/v1/approvals/{asked['approvalId']}/respond", headers=admin,
                         json={"approved": True, "response": {"notes": 7}})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"response.notes"})
