"""Large, odd and hostile input by hand: each request is answered, in our shape, and the next one is served."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers
from tests.web.real_service import HandWorker, ScriptedAgents, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application
from workflow_service.domain.agents import Completed

URL = "/api/v1/templates"
MEGABYTE = 1024 * 1024


@pytest.fixture
def worker() -> HandWorker:
    """What does the work."""
    return HandWorker()


@pytest.fixture
def agents() -> ScriptedAgents:
    """Agents whose answers a test writes."""
    return ScriptedAgents()


@pytest.fixture
def real(worker: HandWorker, agents: ScriptedAgents) -> Application:
    """The service."""
    return a_real_service(SECRET, worker, agents)


@pytest.fixture
def app(edge: Flask, real: Application) -> Flask:
    """The edge around the real service."""
    provide(edge, real)
    return edge


def block(name: object, **more: Any) -> dict[str, Any]:
    """Return a block."""
    return {"blockId": f"b{name}", "agentId": "risk-rater", "toolType": "api", **more}


def template(*blocks: dict[str, Any]) -> dict[str, Any]:
    """Return a template of these blocks."""
    return {"templateId": "hard", "name": "Hard", "version": "1.0.0", "blocks": list(blocks)}


@pytest.mark.parametrize(("document", "status"), [
    pytest.param(template(*(block(n, dependencies=[f"b{n - 1}"] if n else []) for n in range(5000))), 201,
                 id="5,000 blocks in a line"),
    pytest.param(template(*(block(n) for n in range(5001))), 422, id="one block more than are allowed"),
    pytest.param(template(*(block(n) for n in range(100)), *(
        block(n, dependencies=[f"b{m}" for m in range(100)]) for n in range(100, 200))), 201, id="10,000 dependencies"),
    pytest.param(template(block(0), block(1, dependencies=["b0"] * 10_000)), 422,
                 id="10,000 dependencies of one block"),
    pytest.param(template(*(block(n, dependencies=[f"b{(n + 1) % 1000}"]) for n in range(1000))), 422,
                 id="a long circle"),
    pytest.param(template(*(block(1) for _ in range(1000))), 422, id="1,000 blocks with one id"),
    pytest.param(template(*({} for _ in range(5000))), 422, id="5,000 blocks of nothing"),
    pytest.param(template(block(0, configuration={"x": "${" + "(" * 1990 + "1" + ")" * 1990 + "}"})), 422,
                 id="depth in CEL"),
    pytest.param(template(block(0, configuration={"x": "${[1].map(a, [1].map(b, [1].map(c, 1)))}"})), 422,
                 id="loops that multiply in CEL"),
    pytest.param(template(block(0, configuration={"x": "${" + "1+" * 2500 + "1}"})), 422, id="a long text in CEL"),
    pytest.param(template(block(0, humanInLoop={"inputSchema": {"pattern": "(a+)+$"}})), 422,
                 id="a form with a pattern that explodes"),
])
def test_hostile_templates(client: CheckedClient, admin: Headers, document: dict[str, Any], status: int) -> None:
    answer = client.post(URL, json=document, headers=admin)
    assert answer.status_code == status, answer.text[:300]
    assert status == 201 or (answer.json["error"] == "invalid_template" and answer.json["errors"])
    assert client.get(URL, headers=admin).status_code == 200


@pytest.mark.parametrize("body", [
    pytest.param(b'{"name": "' + b"x" * 20 * MEGABYTE + b'"}', id="20 MB of text"),
    pytest.param(b"[" * 20 * MEGABYTE, id="20 MB of brackets"),
    pytest.param(b"\0" * 20 * MEGABYTE, id="20 MB of nothing")])
def test_20_megabytes(client: CheckedClient, admin: Headers, body: bytes) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (413, "request_entity_too_large")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_100_000_levels(client: CheckedClient, admin: Headers, body: bytes) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (400, "malformed_json")


def test_a_name_that_is_there_twice_is_named(client: CheckedClient, admin: Headers) -> None:
    body = b'{"name": 1, "name": "last", "version": 1}'
    answer = client.post(URL, data=body, content_type="application/json", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (400, "malformed_json")
    assert "'name' stands twice" in answer.json["message"]


def test_cel_that_grows_when_it_runs_fails_its_block_alone(client: CheckedClient, admin: Headers, real: Application,
                                                           worker: HandWorker) -> None:
    grows = "${input.words.map(x, x + x).map(y, y + y)}"
    document = template(block(0, configuration={"x": grows}), block(1, configuration={"x": "${input.words[0] / 0}"}))
    client.post(URL, json=document, headers=admin)
    run = client.post("/api/v1/executions", headers=admin,
                      json={"templateId": "hard", "input": {"words": ["x" * 1000] * 100}}).json["executionId"]
    worker.work(real)
    answer = client.get(f"/api/v1/executions/{run}", headers=admin)
    assert (answer.status_code, answer.json["status"], answer.json["failedBlocks"]) == (200, "failed", ["b1"])


@pytest.mark.parametrize("output", [
    {}, {"": None}, {"a.b": {"$c": 1}}, {"clauses": None}, {"x": "\u2028</script>\x00"}, {"deep": [[[[[[[[1]]]]]]]]},
    {"long": "x" * MEGABYTE}, {"clauses": [float(1e308), -0.0]}])
def test_odd_outputs_of_agents_are_shown_as_they_are(client: CheckedClient, admin: Headers, real: Application,
                                                     worker: HandWorker, agents: ScriptedAgents,
                                                     output: dict[str, Any]) -> None:
    client.post(URL, json={**TEMPLATE, "blocks": [TEMPLATE["blocks"][0]]}, headers=admin)
    agents.answers.append(Completed(output=output))
    run = client.post("/api/v1/executions", json=START, headers=admin).json["executionId"]
    worker.work(real)
    answer = client.get(f"/api/v1/executions/{run}", headers=admin)
    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    assert answer.json["blockExecutions"][0]["output"] == output
