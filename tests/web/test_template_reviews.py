"""Comparing, validating, planning, exporting and importing templates over HTTP, on the real engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers
from tests.web.real_service import EchoAgents, HandWorker, a_real_service
from web.api.schemas.examples import TEMPLATE, TEMPLATE_UPDATE
from web.auth import PERMISSIONS
from web.context import provide
from web.template_body import MAX_YAML_BYTES
from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.readiness import ANSWERING_ROLES

URL = "/api/v1/templates/contract-review"
YAML = {"Content-Type": "application/yaml"}


class ChangingAgents(EchoAgents):
    """A registry that a test changes after templates were stored."""

    def __init__(self) -> None:
        """Know what the echo agents know."""
        self.known: Sequence[Agent] | None = super().agents()

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        if self.known is None:
            raise Unavailable("Agent Service")
        return self.known


@pytest.fixture
def agents() -> ChangingAgents:
    """The registry."""
    return ChangingAgents()


@pytest.fixture
def app(edge: Flask, agents: ChangingAgents) -> Flask:
    """The edge around the real service."""
    provide(edge, a_real_service(SECRET, HandWorker(), agents))
    return edge


@pytest.fixture(autouse=True)
def stored(app: Flask, client: CheckedClient, admin: Headers) -> None:
    """There is a template."""
    assert client.post("/api/v1/templates", json=TEMPLATE, headers=admin).status_code == 201


def test_diff_of_two_versions(client: CheckedClient, admin: Headers) -> None:
    extract, review = TEMPLATE["blocks"]
    changed = {**extract, "configuration": {"document": "${input.file}"}}
    added = {"blockId": "file", "agentId": "risk-rater", "toolType": "api", "dependencies": ["extract"]}
    client.put(URL, json={**TEMPLATE_UPDATE, "name": "New", "blocks": [changed, added]}, headers=admin)
    answer = client.get(f"{URL}/diff?from=1.0.0&to=1.0.1", headers=admin)
    assert answer.json == {
        "templateId": "contract-review", "from": "1.0.0", "to": "1.0.1",
        "addedBlocks": [{"path": "/blocks/1", "kind": "added", "old": None, "new": added}],
        "removedBlocks": [{"path": "/blocks/1", "kind": "removed", "old": review, "new": None}],
        "changedBlocks": [{"blockId": "extract", "path": "/blocks/0", "changes": [
            {"path": "/blocks/0/configuration/document", "kind": "changed", "old": "${input.document}",
             "new": "${input.file}"}]}],
        "changedSettings": [{"path": "/name", "kind": "changed", "old": "Contract review", "new": "New"}],
        "orderChanged": False}
    assert client.get(f"{URL}/diff?from=1.0.0", headers=admin).json == answer.json


@pytest.mark.parametrize(("query", "status"), [
    ("", 422), ("?to=1.0.0", 422), ("?from=", 422), ("?from=1.0.0&since=1", 422), ("?from=9.9.9", 404),
    ("?from=1.0.0&to=x", 404), ("?from=a:b", 404)])
def test_diff_of_what_there_is_not(client: CheckedClient, admin: Headers, query: str, status: int) -> None:
    assert client.get(f"{URL}/diff{query}", headers=admin).status_code == status


def test_sound_template_is_valid(client: CheckedClient, admin: Headers) -> None:
    assert client.post(f"{URL}/validate", headers=admin).json == {"valid": True, "issues": []}


def test_validate_asks_the_agents_of_now(client: CheckedClient, admin: Headers, agents: ChangingAgents) -> None:
    agents.known = [Agent(agent_id="document-reader", name="Reader", type="echo", tool_types=("api",),
                          status="unavailable", input_schema={
                              "type": "object", "required": ["language"], "additionalProperties": False,
                              "properties": {"language": {"type": "string"}, "document": {"type": "integer"}}})]
    answer = client.post(f"{URL}/validate", headers=admin).json
    assert answer["valid"] is False
    assert {(issue["path"], issue["code"]) for issue in answer["issues"]} == {
        ("blocks[0].toolType", "tool_type_not_offered"), ("blocks[0].agentId", "agent_not_available"),
        ("blocks[0].configuration", "required"), ("blocks[1].agentId", "unknown_agent")}


def test_validate_finds_numbers_and_people_that_can_not_be(client: CheckedClient, admin: Headers) -> None:
    block = {**TEMPLATE["blocks"][0], "retryPolicy": {"initialDelay": 5000, "maxDelay": 1000},
             "humanInLoop": {"required": True, "approvalLevel": "viewer", "escalateTo": "operator"}}
    assert client.put(URL, json={**TEMPLATE_UPDATE, "blocks": [block]}, headers=admin).status_code == 200
    answer = client.post(f"{URL}/validate", headers=admin).json
    assert [(issue["path"], issue["code"]) for issue in answer["issues"]] == [
        ("blocks[0].retryPolicy.initialDelay", "out_of_range"),
        ("blocks[0].humanInLoop.approvalLevel", "nobody_can_answer"),
        ("blocks[0].humanInLoop.escalateTo", "nobody_can_answer")]
    assert client.post(f"{URL}/validate?version=1.0.0", headers=admin).json["valid"] is True


def test_roles_that_answer_are_those_that_may() -> None:
    assert set(ANSWERING_ROLES) == {role for role, may in PERMISSIONS.items() if "approvals:respond" in may}


def test_validate_without_the_agent_service(client: CheckedClient, admin: Headers, agents: ChangingAgents) -> None:
    agents.known = None
    answer = client.post(f"{URL}/validate", headers=admin)
    assert (answer.status_code, answer.json["error"]) == (503, "unavailable")
    assert "Retry-After" in answer.headers


def test_plan(client: CheckedClient, admin: Headers) -> None:
    assert client.post(f"{URL}/plan", headers=admin).json == {
        "templateId": "contract-review", "version": "1.0.0", "blockCount": 2, "widestLevel": 1,
        "maxParallelBlocks": 4, "gates": ["review"], "criticalPath": ["extract", "review"], "estimatedDuration": None,
        "onlyAfterFailures": [],
        "segments": [{"wave": 1, "lines": [{"runs": [["extract"]]}], "join": None},
                     {"wave": 2, "lines": [{"runs": [["review"]]}], "join": None}]}


def test_plan_adds_up_what_authors_say(client: CheckedClient, admin: Headers) -> None:
    blocks = [{**block, "metadata": {"estimatedDuration": 1500}} for block in TEMPLATE["blocks"]]
    client.put(URL, json={**TEMPLATE_UPDATE, "blocks": blocks}, headers=admin)
    assert client.post(f"{URL}/plan", headers=admin).json["estimatedDuration"] == 3000
    assert client.post(f"{URL}/plan?version=1.0.0", headers=admin).json["estimatedDuration"] is None
    assert client.post(f"{URL}/plan?version=3.0.0", headers=admin).status_code == 404


@pytest.mark.parametrize(("format", "media_type"), [("yaml", "application/yaml"), ("json", "application/json")])
def test_export_and_import_go_round_without_a_change(client: CheckedClient, admin: Headers, format: str,
                                                     media_type: str) -> None:
    odd = {**TEMPLATE, "templateId": "odd", "blocks": [{
        "toolType": "api", "configuration": {"z": "no", "a": 1e20, "text": "one\ntwo\n", "n": None, "x": [1, 1.0, "1"]},
        "agentId": "risk-rater", "blockId": "only"}]}
    client.post("/api/v1/templates", json=dict(reversed([*odd.items()])), headers=admin)
    first = client.get(f"/api/v1/templates/odd/export?format={format}", headers=admin)
    assert (first.mimetype, first.headers["ETag"]) == (media_type, '"1.0.0"')
    assert "odd-1.0.0." + format in first.headers["Content-Disposition"]
    assert list(yaml.safe_load(first.text)) == ["templateId", "name", "description", "version", "tags", "metadata",
                                                "blocks", "globalSettings"]
    assert list(yaml.safe_load(first.text)["blocks"][0]["configuration"]) == ["z", "a", "text", "n", "x"]
    same = client.put("/api/v1/templates/odd", data=first.data, content_type=media_type, headers=admin)
    assert (same.status_code, same.json["version"]) == (200, "1.0.0")
    client.delete("/api/v1/templates/odd", headers=admin)
    newer = first.text.replace("1.0.0", "1.0.1").encode()
    again = client.post("/api/v1/templates", data=newer, content_type=media_type, headers=admin)
    assert again.status_code == 201
    assert client.get(f"/api/v1/templates/odd/export?format={format}", headers=admin).data == newer


def test_export_is_yaml_if_nothing_is_said(client: CheckedClient, admin: Headers) -> None:
    answer = client.get(f"{URL}/export", headers=admin)
    assert yaml.safe_load(answer.text) == TEMPLATE
    assert client.get(f"{URL}/export?format=xml", headers=admin).status_code == 422


@pytest.mark.parametrize("text", [
    b"a: [", b"templateId: x\ntemplateId: y\n", b"a: &x 1\nb: *x\n", b"a: !!python/name:os.system x\n", b"\xff",
    b"a: 2026-01-01\n", b"[" * 100_000, b"a: 1\n---\nb: 1\n"])
def test_yaml_that_is_refused(client: CheckedClient, admin: Headers, text: bytes) -> None:
    for method, url in (("POST", "/api/v1/templates"), ("PUT", URL)):
        answer = client.open(url, method=method, data=text, headers={**admin, **YAML})
        assert (answer.status_code, answer.json["error"]) == (400, "malformed_yaml")


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"just words"])
def test_yaml_that_is_no_template(client: CheckedClient, admin: Headers, text: bytes) -> None:
    assert client.post("/api/v1/templates", data=text, headers={**admin, **YAML}).status_code == 422


def test_yaml_that_is_too_large(client: CheckedClient, admin: Headers) -> None:
    text = b"# " + b"x" * MAX_YAML_BYTES
    answer = client.post("/api/v1/templates", data=text, headers={**admin, **YAML})
    assert (answer.status_code, answer.json["error"]) == (413, "request_entity_too_large")
    assert "2 MB" in answer.json["message"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", ""])
def test_other_media_types_are_refused(client: CheckedClient, admin: Headers, media_type: str) -> None:
    answer = client.post("/api/v1/templates", data=b"a: 1", headers={**admin, "Content-Type": media_type})
    assert (answer.status_code, answer.json["error"]) == (415, "unsupported_media_type")


def test_yaml_is_for_templates_alone(client: CheckedClient, admin: Headers) -> None:
    assert client.post("/api/v1/executions", data=b"templateId: x", headers={**admin, **YAML}).status_code == 415


def test_faults_of_yaml_have_the_paths_of_the_template(client: CheckedClient, admin: Headers) -> None:
    document: dict[str, Any] = {**TEMPLATE, "templateId": "t2", "blocks": [{"agentId": "a"}]}
    answer = client.post("/api/v1/templates", data=yaml.safe_dump(document).encode(), headers={**admin, **YAML})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"blocks[0]"})
