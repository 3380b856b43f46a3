"""Standing holds over HTTP, with the real service behind them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application

URL = "/api/v1/holds"
RUN = "/api/v1/executions/run-1"


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


@pytest.fixture(autouse=True)
def started(client: CheckedClient, admin: Headers) -> None:
    """There is an execution; nothing of it has run."""
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    client.post("/api/v1/executions", json=START, headers=admin)


@pytest.fixture
def operator(signed: SignedHeaders) -> Headers:
    """The headers of an operator."""
    return signed("operator", user="olga")


@pytest.mark.parametrize(("body", "status", "holds"), [
    ({"scope": "workspace"}, "paused", ["workspace"]),
    ({"scope": "workspace", "target": None}, "paused", ["workspace"]),
    ({"scope": "template", "target": "contract-review"}, "paused", ["template"]),
    ({"scope": "template", "target": "another"}, "running", []),
    ({"scope": "agent", "target": "document-reader"}, "running", ["agent:document-reader"])])
def test_a_hold_is_placed_seen_and_lifted(client: CheckedClient, real: Application, worker: HandWorker,
                                          operator: Headers, admin: Headers, body: dict[str, Any], status: str,
                                          holds: list[str]) -> None:
    client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "another"}, headers=admin)

    # When it is placed
    placed = client.post(URL, json={**body, "clock": "run", "reason": "An audit."}, headers=operator)
    assert placed.status_code == 201
    hold = placed.json
    assert {name: hold[name] for name in hold.keys() - {"holdId", "createdAt"}} == {
        "scope": body["scope"], "target": body.get("target"), "clock": "run", "reason": "An audit.",
        "createdBy": "olga", "status": "applied"}
    assert client.get(URL, headers=operator).json == {"holds": [hold]}

    # Then it holds
    worker.work(real)
    held = client.get(RUN, headers=operator).json
    assert (held["status"], held["holds"]) == (status, holds) or (not holds and held["completedBlocks"] == ["extract"])

    # Until it is lifted
    lifted = client.delete(f"{URL}/{hold['holdId']}", headers=operator)
    assert (lifted.status_code, lifted.json) == (200, {"success": True, **hold, "status": "lifted"})
    assert client.get(URL, headers=operator).json == {"holds": []}
    worker.work(real)
    assert client.get(RUN, headers=operator).json["completedBlocks"] == ["extract"]


def test_the_clock_stops_unless_told_otherwise(client: CheckedClient, operator: Headers) -> None:
    assert client.post(URL, json={"scope": "workspace"}, headers=operator).json["clock"] == "stop"
    assert client.get(RUN, headers=operator).json["clock"] == "stopped"


def test_a_second_hold_of_the_same_is_a_conflict(client: CheckedClient, operator: Headers) -> None:
    client.post(URL, json={"scope": "workspace"}, headers=operator)
    answer = client.post(URL, json={"scope": "workspace"}, headers=operator)
    assert (answer.status_code, answer.json["error"]) == (409, "already_exists")


@pytest.mark.parametrize(("role", "workspace", "status"), [
    ("operator", "acme", 403), ("admin", "acme", 403), ("operator", "default", 403), ("admin", "default", 201)])
def test_the_service_is_held_by_its_own_admins(client: CheckedClient, signed: SignedHeaders, role: str, workspace: str,
                                               status: int) -> None:
    headers = signed(role, workspace=workspace)
    answer = client.post(URL, json={"scope": "service"}, headers=headers)
    assert answer.status_code == status
    seen = client.get(URL, headers=signed("viewer")).json["holds"]
    assert [hold["scope"] for hold in seen] == (["service"] if status == 201 else [])
    for hold in seen:
        assert client.delete(f"{URL}/{hold['holdId']}", headers=signed("admin")).status_code == 403


def test_only_a_template_that_is_there_can_be_held_but_an_agent_may_come_back(
        client: CheckedClient, operator: Headers) -> None:
    answer = client.post(URL, json={"scope": "template", "target": "nobody"}, headers=operator)
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert "template 'nobody'" in answer.json["message"]
    assert client.get(URL, headers=operator).json == {"holds": []}
    assert client.post(URL, json={"scope": "agent", "target": "nobody"}, headers=operator).status_code == 201


def test_holds_of_another_workspace_do_not_exist(client: CheckedClient, operator: Headers,
                                                 signed: SignedHeaders) -> None:
    hold = client.post(URL, json={"scope": "workspace"}, headers=operator).json
    stranger = signed("operator", workspace="other")
    assert client.get(URL, headers=stranger).json == {"holds": []}
    assert client.delete(f"{URL}/{hold['holdId']}", headers=stranger).status_code == 404
    assert client.delete(f"{URL}/unknown", headers=operator).status_code == 404


@pytest.mark.parametrize(("body", "path", "code"), [
    ({}, "scope", "required"),
    ({"scope": "planet"}, "scope", "invalid"),
    ({"scope": None}, "scope", "not_null"),
    ({"scope": "template"}, "target", "required"),
    ({"scope": "agent", "target": None}, "target", "required"),
    ({"scope": "service", "target": "x"}, "target", "invalid"),
    ({"scope": "workspace", "target": "acme"}, "target", "invalid"),
    ({"scope": "agent", "target": "a b"}, "target", "invalid"),
    ({"scope": "workspace", "clock": "slow"}, "clock", "invalid"),
    ({"scope": "workspace", "reason": "x" * 501}, "reason", "invalid"),
    ({"scope": "workspace", "until": "noon"}, "until", "unknown_field"),
])
def test_a_body_that_breaks_the_rules_is_told_where(client: CheckedClient, operator: Headers, body: dict[str, Any],
                                                    path: str, code: str) -> None:
    answer = client.post(URL, json=body, headers=operator)
    assert answer.status_code == 422
    assert {path: code} == {path: faults[0]["code"] for path, faults in answer.json["errors"].items()}
    assert client.get(URL, headers=operator).json == {"holds": []}


def test_a_hold_needs_a_body(client: CheckedClient, operator: Headers) -> None:
    assert client.post(URL, headers=operator).status_code == 415


@pytest.mark.parametrize("role", ["viewer", "designer", "approver"])
def test_others_may_look_but_not_touch(client: CheckedClient, signed: SignedHeaders, role: str) -> None:
    assert client.get(URL, headers=signed(role)).status_code == 200
    assert client.post(URL, json={"scope": "workspace"}, headers=signed(role)).status_code == 403
    assert client.delete(f"{URL}/h1", headers=signed(role)).status_code == 403
