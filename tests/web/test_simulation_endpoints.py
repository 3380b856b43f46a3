"""Simulating templates over HTTP: nothing is stored, sent or called."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, ScriptedAgents, a_real_service
from web.api.schemas.examples import SIMULATE, SIMULATE_GIVEN, TEMPLATE
from web.context import provide
from workflow_service.domain.agents import AgentAnswer, AgentCall

URL = "/api/v1/templates/contract-review/simulate"
GIVEN = "/api/v1/simulations"


class UncalledAgents(ScriptedAgents):
    """Agents that nobody may call."""

    def run(self, call: AgentCall) -> AgentAnswer:
        """Fail the test."""
        raise AssertionError(f"'{call.agent_id}' was called")


@pytest.fixture
def app(edge: Flask) -> Flask:
    """The edge around the real service."""
    provide(edge, a_real_service(SECRET, HandWorker(), UncalledAgents()))
    return edge


@pytest.fixture
def stored(app: Flask, client: CheckedClient, admin: Headers) -> None:
    """There is a template."""
    assert client.post("/api/v1/templates", json=TEMPLATE, headers=admin).status_code == 201


@pytest.mark.usefixtures("stored")
def test_a_stored_template_is_simulated(client: CheckedClient, signed: SignedHeaders) -> None:
    told = client.post(URL, json=SIMULATE, headers=signed("viewer")).json
    assert (told["outcome"], told["reason"], told["error"]) == ("completed", None, None)
    assert told["agentCalls"] == {"document-reader": 1, "risk-rater": 3}
    assert [(step["blockId"], step["status"], step["attempts"]) for step in told["path"]] == [
        ("extract", "completed", 2), ("review", "completed", 3)]
    asked = told["approvals"][0]
    assert (asked["assignedTo"], asked["payload"], asked["status"]) == ("approver", {"clauses": [7]}, "approved")
    assert told["timeline"][-1]["timestamp"] == told["endedAt"]


@pytest.mark.usefixtures("stored")
def test_nothing_is_left_of_a_simulation(client: CheckedClient, admin: Headers) -> None:
    client.post(URL, json=SIMULATE, headers=admin)
    client.post(GIVEN, json=SIMULATE_GIVEN, headers=admin)
    assert client.get("/api/v1/executions", headers=admin).json["total"] == 0
    assert client.get("/api/v1/templates", headers=admin).json["total"] == 1
    assert client.get("/api/v1/approvals/pending", headers=admin).json["approvals"] == []


@pytest.mark.usefixtures("stored")
def test_without_a_word_a_gate_is_waited_for(client: CheckedClient, admin: Headers) -> None:
    told = client.post(URL, headers=admin).json
    assert told["outcome"] == "failed"  # the echo of an empty input has no clauses
    told = client.post(URL, json={"input": SIMULATE["input"], "mocks": SIMULATE["mocks"]}, headers=admin).json
    assert told["outcome"] == "waiting"
    assert told["reason"] == "It waits for ever: Block 'review' waits for a person's answer."


def test_a_template_that_is_not_stored_is_simulated(client: CheckedClient, admin: Headers) -> None:
    told = client.post(GIVEN, json=SIMULATE_GIVEN, headers=admin).json
    assert told["outcome"] == "completed"


@pytest.mark.parametrize(("body", "path"), [
    ({"decide": {"reveiw": "approve"}}, "decide.reveiw"),
    ({"decide": {"extract": "approve"}}, "decide.extract"),
    ({"decide": {"review": "maybe"}}, "decide.review"),
    ({"decide": {"review": {"decision": "approve", "response": {"notes": 7}}}}, "decide.review.response.notes"),
    ({"decide": {"review": [{"decision": "approve"}, {"decision": "approve", "response": {"notes": 7}}]}},
     "decide.review[1].response.notes"),
    ({"mocks": {"nobody": {}}}, "mocks.nobody"),
    ({"mocks": {"extract": {"duration": 1}}}, "mocks.extract"),
    ({"mocks": {"extract": [{}, {"durationMs": -1}]}}, "mocks.extract[1].durationMs"),
    ({"fail": {"extract": "sometimes"}}, "fail.extract"),
    ({"fail": {"agent:nobody": "critical"}}, "fail.agent:nobody"),
    ({"signals": [{"name": "paid"}]}, "signals[0].name"),
    ({"startAt": "yesterday"}, "startAt"),
    ({"startAt": "0001-01-01T00:00:00+00:00"}, "startAt"),
    ({"wrong": 1}, "(whole)"),
    ({"input": {"text": "x" * 1_000_000}}, "(whole)"),
])
@pytest.mark.usefixtures("stored")
def test_bad_directives_are_refused_with_their_place(client: CheckedClient, admin: Headers, body: dict[str, Any],
                                                     path: str) -> None:
    answer = client.post(URL, json=body, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")
    assert list(answer.json["errors"]) == [path]


@pytest.mark.usefixtures("stored")
def test_an_unknown_name_comes_with_those_that_are_known(client: CheckedClient, admin: Headers) -> None:
    faults = client.post(URL, json={"mocks": {"extarct": {}}}, headers=admin).json["errors"]["mocks.extarct"]
    assert faults[0]["allowed"] == ["extract", "review", "document-reader", "risk-rater", "agent:document-reader",
                                    "agent:risk-rater"]


def test_input_that_does_not_fit_is_refused(client: CheckedClient, admin: Headers) -> None:
    wants = {**TEMPLATE, "inputSchema": {"type": "object", "required": ["document"]}}
    answer = client.post(GIVEN, json={"template": wants, "input": {}}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_input")


def test_faults_of_a_given_template_have_their_place_in_the_body(client: CheckedClient, admin: Headers) -> None:
    broken = {**TEMPLATE, "blocks": [{**TEMPLATE["blocks"][0], "dependencies": ["nobody"]}]}
    answer = client.post(GIVEN, json={"template": broken}, headers=admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["template.blocks[0].dependencies[0]"])
    assert list(client.post(GIVEN, json={}, headers=admin).json["errors"]) == ["template"]


@pytest.mark.usefixtures("stored")
def test_a_version_that_there_is_not(client: CheckedClient, admin: Headers) -> None:
    assert client.post(f"{URL}?version=9.9.9", json={}, headers=admin).status_code == 404
