"""Executions over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from json import dumps
from typing import Any

import pytest

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers, SignedHeaders
from tests.web.fakes import FakeApplication
from web.api.schemas.examples import START, TEMPLATE
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus

URL = "/api/v1/executions"
PLACE = Place(at=datetime(2025, 8, 21, 9, 30, tzinfo=UTC), identifier="run-7")


@pytest.fixture(autouse=True)
def template(client: CheckedClient, admin: Headers) -> None:
    """There is a template."""
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)


def test_start_answers_with_id_and_status(client: CheckedClient, admin: Headers, service: FakeApplication) -> None:
    answer = client.post(URL, json=START, headers=admin)
    assert answer.status_code == 201
    assert answer.json == {"executionId": "run-1", "status": "running"}
    assert answer.headers["Location"] == f"{URL}/run-1"
    assert service.executions.stored["run-1"].input == START["input"]


@pytest.mark.parametrize("more", [
    {}, {"input": {}}, {"workspaceId": "acme"}, {"workspaceId": None}, {"templateVersion": "1.0.0"},
    {"templateVersion": None}, {"input": {"deep": {"er": [1, 2.5, None, True, "ü"]}}}])
def test_what_may_be_left_out_may_be_left_out(client: CheckedClient, admin: Headers, service: FakeApplication,
                                              more: dict[str, Any]) -> None:
    assert client.post(URL, json={"templateId": "contract-review", **more}, headers=admin).status_code == 201
    assert service.executions.stored["run-1"].workspace_id == "acme"
    assert service.executions.stored["run-1"].input == more.get("input", {})


def test_start_in_another_workspace_is_forbidden(client: CheckedClient, admin: Headers,
                                                 service: FakeApplication) -> None:
    answer = client.post(URL, json={**START, "workspaceId": "other"}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (403, "forbidden")
    assert not service.executions.stored


@pytest.mark.parametrize("body", [{"templateId": "unknown"},
                                  {"templateId": "contract-review", "templateVersion": "7.0.0"}])
def test_start_what_is_not_there(client: CheckedClient, admin: Headers, body: dict[str, str]) -> None:
    answer = client.post(URL, json=body, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


@pytest.mark.parametrize(("body", "path", "code"), [
    ({}, "templateId", "required"),
    ({"templateId": None}, "templateId", "not_null"),
    ({"templateId": 7}, "templateId", "invalid"),
    ({"templateId": "a b"}, "templateId", "invalid"),
    ({"templateId": "a\n"}, "templateId", "invalid"),
    ({"templateId": ""}, "templateId", "invalid"),
    ({"templateId": "a", "input": []}, "input", "invalid"),
    ({"templateId": "a", "input": "{}"}, "input", "invalid"),
    ({"templateId": "a", "input": None}, "input", "not_null"),
    ({"templateId": "a", "templateVersion": 1}, "templateVersion", "invalid"),
    ({"templateId": "a", "template_id": "a"}, "template_id", "unknown_field"),
    ([], "(whole)", "invalid"),
    (None, "(whole)", "invalid"),
])
def test_a_body_that_breaks_the_rules_is_told_where(client: CheckedClient, admin: Headers, body: Any, path: str,
                                                    code: str) -> None:
    answer = client.post(URL, data=dumps(body), content_type="application/json", headers=admin)
    assert answer.status_code == 422
    assert {path: code} == {path: faults[0]["code"] for path, faults in answer.json["errors"].items()}


def test_start_while_the_store_is_down(client: CheckedClient, admin: Headers, service: FakeApplication) -> None:
    service.executions.raises = Unavailable("mongodb")
    assert client.post(URL, json=START, headers=admin).status_code == 503


def test_get_shows_all_that_section_4_2_names_and_more(client: CheckedClient, admin: Headers) -> None:
    client.post(URL, json=START, headers=admin)
    answer = client.get(f"{URL}/run-1", headers=admin)
    assert answer.status_code == 200
    more = {"input", "error", "holds", "clock", "reason", "generation", "inFlight", "createdAt", "tags", "attributes",
            "output", "parent"}
    assert more <= set(answer.json)
    assert set(answer.json) - more == {
        "executionId", "templateId", "templateVersion", "workspaceId", "status", "startedAt", "completedAt",
        "createdBy", "currentBlocks", "completedBlocks", "failedBlocks", "blockedBlocks", "blockExecutions",
        "globalContext", "recoveryPoints"}
    ours = {"attempt", "epoch", "nextAttemptAt", "suppliedBy", "children", "waitingFor"}
    assert set(answer.json["blockExecutions"][0]) - ours == {
        "blockId", "executionId", "agentId", "status", "startedAt", "completedAt", "input", "output", "error",
        "retryCount", "humanInteractions"}
    assert answer.json["blockExecutions"][0]["humanInteractions"] == [
        {"approvalId": "a1", "executionId": "run-1", "type": "edit", "status": "pending",
         "requestedAt": "2025-08-21T09:30:00.123Z", "respondedAt": None, "response": None, "approver": None}]
    assert set(answer.json["recoveryPoints"][0]) == {"timestamp", "state", "completedBlocks"}


def test_executions_of_another_workspace_do_not_exist(client: CheckedClient, admin: Headers,
                                                      signed: SignedHeaders) -> None:
    client.post(URL, json=START, headers=admin)
    assert client.get(f"{URL}/run-1", headers=signed(workspace="other")).status_code == 404


def test_list_gives_summaries_and_their_number(client: CheckedClient, admin: Headers) -> None:
    for _ in range(3):
        client.post(URL, json=START, headers=admin)
    answer = client.get(f"{URL}?limit=2", headers=admin)
    assert answer.json["total"] == 3
    assert [execution["executionId"] for execution in answer.json["executions"]] == ["run-1", "run-2"]
    assert "blockExecutions" not in answer.json["executions"][0]


@pytest.mark.parametrize(("query", "wanted"), [
    ("", ExecutionFilter()),
    ("status=waiting&templateId=a", ExecutionFilter(statuses=(ExecutionStatus.WAITING,), template_id="a")),
    ("status=waiting&status=paused",
     ExecutionFilter(statuses=(ExecutionStatus.WAITING, ExecutionStatus.PAUSED))),
    ("tag=legal&createdBy=ada&errorCode=timeout", ExecutionFilter(tag="legal", created_by="ada", error_code="timeout")),
    ("attribute=order:7&attribute=a.b:x:y", ExecutionFilter(attributes=("order:7", "a.b:x:y"))),
    ("startedAfter=2025-08-21T09:30:00.5Z&endedBefore=2025-08-21T09:30:00%2B02:00", ExecutionFilter(
        started_after=datetime(2025, 8, 21, 9, 30, 0, 500_000, UTC),
        ended_before=datetime(2025, 8, 21, 7, 30, tzinfo=UTC))),
    ("workspaceId=acme", ExecutionFilter()),
    ("parentId=run-1", ExecutionFilter(parent_id="run-1")),
    (f"cursor={PLACE.cursor()}", ExecutionFilter(after=PLACE)),
    ("limit=3&offset=9", ExecutionFilter(limit=3, offset=9)),
])
def test_query_becomes_a_filter(client: CheckedClient, admin: Headers, service: FakeApplication, query: str,
                                wanted: ExecutionFilter) -> None:
    client.get(f"{URL}?{query}", headers=admin)
    assert service.executions.asked == [wanted]


@pytest.mark.parametrize(("query", "path"), [
    ("status=asleep", "status[0]"), ("status=paused&status=RUNNING", "status[1]"), ("templateId=a%20b", "templateId"),
    ("limit=0", "limit"), ("state=running", "state"), ("tag=", "tag"), ("createdBy=", "createdBy"),
    ("attribute=x", "attribute[0]"), ("attribute=a:1&attribute=%20:1", "attribute[1]"),
    ("attribute=a:b%0A", "attribute[0]"), ("cursor=x", "cursor"), ("cursor=", "cursor"), ("cursor=WzEsMl0", "cursor"),
    ("startedAfter=yesterday", "startedAfter"), ("startedAfter=2025-08-21T09:30:00", "startedAfter"),
    ("endedBefore=0001-01-01T00:00:00%2B14:00", "endedBefore"), ("workspaceId=a%20b", "workspaceId")])
def test_a_query_that_makes_no_sense_is_refused(client: CheckedClient, admin: Headers, query: str, path: str) -> None:
    answer = client.get(f"{URL}?{query}", headers=admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [path])


def test_a_list_of_another_workspace_is_forbidden(client: CheckedClient, admin: Headers) -> None:
    assert client.get(f"{URL}?workspaceId=other", headers=admin).status_code == 403
