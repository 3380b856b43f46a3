"""What every Agent Service must do, told over HTTP; each answer is also held against the contract.

The reference service is started for it, unless ``AGENT_SERVICE_CONTRACT_URL`` names another one, which must have the
agents ``echo``, ``echo-async``, ``echo-offline``, ``git-history`` and ``release-policy`` of the packaged registry and
the endpoints that the contract marks as reference.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import validate

from tests.support.services import running_agent_service

CONTRACT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs/contracts/agent-service.yaml").read_text(encoding="utf-8"))
EXECUTIONS = "/agents/{agentId}/executions"
EXECUTION = "/agents/{agentId}/executions/{id}"
PATIENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def agent_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the base URL of the service."""
    url = os.environ.get("AGENT_SERVICE_CONTRACT_URL")
    if url:
        yield url
        return
    with running_agent_service(tmp_path_factory.mktemp("agent_service")) as server:
        yield server.url


@pytest.fixture
def client(agent_service: str) -> Iterator[Client]:
    """Give a client of the service with keys of its own."""
    with requests.Session() as session:
        yield Client(agent_service, session)


class Client:
    """Calls the service and holds each answer against the contract."""

    def __init__(self, base_url: str, session: requests.Session) -> None:
        """Take the address; ``execution_id`` is new for each client."""
        self.execution_id = uuid.uuid4().hex
        self.key = f"{self.execution_id}:block:0"
        self._base_url = base_url
        self._session = session

    def get(self, path: str, template: str | None = None, **query: str) -> requests.Response:
        """Read something; ``template`` is the contract's path if it differs from ``path``."""
        answer = self._session.get(self._base_url + path, params=query, timeout=PATIENCE_SECONDS)
        return _kept(answer, template or path, "get")

    def start(self, agent: str = "echo", key: str | None = None, **changes: Any) -> requests.Response:
        """Have an agent do work; ``changes`` are fields of the body."""
        body = {"workspaceId": "w", "executionId": self.execution_id, "blockId": "block", "toolType": "script",
                "input": {}, "timeoutMs": 5000, **changes}
        return self.send(agent, {"Idempotency-Key": key or self.key}, json=body)

    def send(self, agent: str, headers: dict[str, str], **request: Any) -> requests.Response:
        """Post anything."""
        answer = requests.post(f"{self._base_url}/agents/{agent}/executions", headers=headers,
                               timeout=PATIENCE_SECONDS, **request)
        return _kept(answer, EXECUTIONS, "post")

    def find(self, agent: str = "echo", key: str | None = None) -> requests.Response:
        """Ask for an execution."""
        return self.get(f"/agents/{agent}/executions/{quote(key or self.key, safe='')}", EXECUTION)

    def cancel(self, agent: str = "echo", key: str | None = None) -> requests.Response:
        """Cancel an execution."""
        path = f"/agents/{agent}/executions/{quote(key or self.key, safe='')}"
        return _kept(self._session.delete(self._base_url + path, timeout=PATIENCE_SECONDS), EXECUTION, "delete")

    def effects(self) -> list[str]:
        """Return the status of each run of work of this client."""
        return [effect["status"] for effect in self.get("/effects", executionId=self.execution_id).json()["effects"]]

    def ended(self, agent: str = "echo") -> dict[str, Any]:
        """Wait for the end of the execution and return it."""
        until(lambda: self.find(agent).json()["status"] != "running")
        found: dict[str, Any] = self.find(agent).json()
        return found


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _kept(answer: requests.Response, path: str, method: str) -> requests.Response:
    """Hold an answer against the contract."""
    responses = CONTRACT["paths"][path][method]["responses"]
    response = responses.get(str(answer.status_code)) or responses.get("default")
    assert response is not None, f"{method} {path} may not answer {answer.status_code}: {answer.text}"
    if "$ref" in response:
        response = CONTRACT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = {"allOf": [response["content"]["application/json"]["schema"]], "components": CONTRACT["components"]}
    OAS30Validator(schema, format_checker=oas30_format_checker).validate(answer.json())
    return answer


def error_of(answer: requests.Response) -> tuple[int, str, str]:
    """Return what the caller of a failed request can act on."""
    return answer.status_code, answer.json()["code"], answer.json()["class"]


def test_the_contract_is_valid_openapi() -> None:
    validate(CONTRACT)


def test_health(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(("query", "is_listed", "is_not"), [
    ({}, {"echo", "echo-async", "echo-offline"}, set()),
    ({"capability": "", "toolType": "", "status": ""}, {"echo", "echo-offline"}, set()),
    ({"status": "available"}, {"echo"}, {"echo-offline"}),
    ({"status": "unavailable"}, {"echo-offline"}, {"echo"}),
    ({"capability": "echo"}, {"echo"}, {"git-history"}),
    ({"capability": "no-such"}, set(), {"echo"}),
    ({"toolType": "mcp"}, {"echo", "git-history"}, {"release-policy"}),
    ({"toolType": "api", "capability": "echo", "status": "available"}, {"echo"}, {"echo-offline", "release-policy"}),
])
def test_agents_are_listed_by_filter(
        client: Client, query: dict[str, str], is_listed: set[str], is_not: set[str]) -> None:
    ids = {agent["agentId"] for agent in client.get("/agents", **query).json()["agents"]}
    assert is_listed <= ids
    assert not is_not & ids


def test_an_agent_is_shown_as_it_is_listed(client: Client) -> None:
    listed = {agent["agentId"]: agent for agent in client.get("/agents").json()["agents"]}
    assert client.get("/agents/echo", "/agents/{agentId}").json() == listed["echo"]


@pytest.mark.parametrize("ask", [
    lambda client: client.get("/agents/nobody", "/agents/{agentId}"),
    lambda client: client.start("nobody"),
    lambda client: client.find("nobody"),
    lambda client: client.cancel("nobody"),
])
def test_an_unknown_agent(client: Client, ask: Callable[[Client], requests.Response]) -> None:
    assert error_of(ask(client)) == (404, "agent_not_found", "agent")


@pytest.mark.parametrize("tool_type", ["api", "script", "use_case", "mcp"])
def test_work_is_done_and_remembered(client: Client, tool_type: str) -> None:
    answer = client.start(toolType=tool_type, input={"number": 1, "text": "ä", "list": [None, {"a": 1.5}]})
    assert answer.status_code == 200
    assert answer.json()["id"] == client.key
    assert answer.json()["output"] == {"number": 1, "text": "ä", "list": [None, {"a": 1.5}]}
    assert "Idempotency-Replayed" not in answer.headers
    assert client.find().json() == answer.json()


def test_the_same_key_and_body_give_the_stored_answer(client: Client) -> None:
    first = client.start(input={"a": 1, "b": 2})
    again = client.start(input={"b": 2, "a": 1}, timeoutMs=1)
    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert client.effects() == ["completed"]


@pytest.mark.parametrize("change", [
    {"input": {"a": 2}}, {"toolType": "api"}, {"blockId": "other"}, {"workspaceId": "other"}, {"executionId": "other"}])
def test_the_same_key_with_another_body_is_refused(client: Client, change: dict[str, Any]) -> None:
    client.start(input={"a": 1})
    assert error_of(client.start(**{"input": {"a": 1}, **change})) == (422, "idempotency_conflict", "configuration")
    assert client.find().json()["output"] == {"a": 1}


def test_keys_are_scoped_to_the_agent(client: Client) -> None:
    client.start("echo", input={"a": 1})
    client.start("echo-async", input={"a": 2})
    assert client.ended("echo")["output"] == {"a": 1}
    assert client.ended("echo-async")["output"] == {"a": 2}


def test_simultaneous_requests_with_one_key_do_the_work_once(client: Client) -> None:
    barrier = threading.Barrier(8)

    def request(_: int) -> requests.Response:
        barrier.wait(PATIENCE_SECONDS)
        return client.start(input={"delayMs": 100})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(request, range(8)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert client.ended()["output"] == {"delayMs": 100}
    assert client.effects() == ["completed"]


def test_a_failure_frees_the_key(client: Client) -> None:
    failing = {"failTimes": 2}
    for failures in (1, 2):
        assert error_of(client.start(input=failing)) == (503, "echo_failed", "transient")
        assert client.find().json()["error"]["code"] == "echo_failed"
        assert client.effects() == ["failed"] * failures
    assert client.start(input=failing).json()["output"] == failing
    assert client.effects() == ["failed", "failed", "completed"]


@pytest.mark.parametrize(("failure", "status"), [
    ({"code": "a", "class": "transient"}, 503), ({"code": "b", "class": "agent"}, 502),
    ({"code": "c", "class": "configuration"}, 400), ({"code": "d", "class": "critical"}, 500),
    ({"code": "e", "class": "transient", "status": 429, "retryAfterMs": 1500, "message": "later"}, 429)])
def test_a_failure_says_what_it_is(client: Client, failure: dict[str, Any], status: int) -> None:
    answer = client.start(input={"failTimes": 1, "failWith": failure})
    assert error_of(answer) == (status, failure["code"], failure["class"])
    assert answer.json().get("retryAfterMs") == failure.get("retryAfterMs")
    assert client.find().json()["error"] == answer.json()


def test_work_over_its_time_limit_fails(client: Client) -> None:
    assert error_of(client.start(input={"delayMs": 5000}, timeoutMs=50)) == (504, "timed_out", "transient")
    assert client.effects() == ["failed"]


@pytest.mark.parametrize("key", ["", "with space", "ü".encode().decode("latin-1"), "x" * 601])
def test_a_wrong_key_is_refused(client: Client, key: str) -> None:
    body = {"workspaceId": "w", "executionId": client.execution_id, "blockId": "b", "toolType": "api", "input": {},
            "timeoutMs": 1000}
    answer = client.send("echo", {"Idempotency-Key": key} if key else {}, json=body)
    assert error_of(answer) == (400, "invalid_request", "configuration")
    assert client.effects() == []


def test_a_key_of_600_characters_is_taken(client: Client) -> None:
    key = f"{client.execution_id}:{'b' * 565}:0"
    assert client.start(key=key).json()["id"] == key
    assert client.find(key=key).json()["status"] == "completed"


@pytest.mark.parametrize("request_body", [
    {"data": b""}, {"data": b"{"}, {"data": b"\xff"}, {"json": []}, {"json": {}}, {"data": b"[" * 100_000}])
def test_a_body_that_is_no_request_is_refused(client: Client, request_body: dict[str, Any]) -> None:
    answer = client.send("echo", {"Idempotency-Key": client.key}, **request_body)
    assert error_of(answer) == (400, "invalid_request", "configuration")


@pytest.mark.parametrize(("field", "value"), [
    ("toolType", "shell"), ("input", []), ("input", None), ("timeoutMs", 0), ("timeoutMs", "5"), ("timeoutMs", True),
    ("workspaceId", ""), ("blockId", 7), ("more", 1)])
def test_a_wrong_field_is_named(client: Client, field: str, value: Any) -> None:
    answer = client.start(**{field: value})
    assert error_of(answer) == (400, "invalid_request", "configuration")
    assert field in answer.json()["message"]


def test_input_that_does_not_fit_is_named(client: Client) -> None:
    answer = client.start(input={"failWith": {"class": "odd"}})
    assert error_of(answer) == (400, "invalid_input", "configuration")
    assert "input.failWith.class" in answer.json()["message"]
    assert client.effects() == []


def test_a_tool_type_that_is_not_offered(client: Client) -> None:
    answer = client.start("release-policy", toolType="mcp")
    assert error_of(answer) == (400, "tool_type_not_offered", "configuration")


def test_an_unavailable_agent_takes_no_work(client: Client) -> None:
    assert error_of(client.start("echo-offline")) == (503, "agent_unavailable", "agent")
    assert client.effects() == []


def test_an_asynchronous_agent_goes_on_by_itself(client: Client) -> None:
    answer = client.start("echo-async", input={"delayMs": 200})
    assert answer.status_code == 202
    assert answer.json()["status"] == "running"
    assert client.find("echo-async").json()["retryAfterMs"] == answer.json()["retryAfterMs"]
    assert client.ended("echo-async")["output"] == {"delayMs": 200}
    again = client.start("echo-async", input={"delayMs": 200})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert client.effects() == ["completed"]


def test_an_asynchronous_failure_is_found_and_frees_the_key(client: Client) -> None:
    client.start("echo-async", input={"failTimes": 1})
    found = client.ended("echo-async")
    assert (found["status"], found["error"]["code"], found["error"]["class"]) == ("failed", "echo_failed", "transient")
    assert client.start("echo-async", input={"failTimes": 1}).status_code == 202
    assert client.ended("echo-async")["status"] == "completed"


def test_a_key_at_work_is_not_started_again(client: Client) -> None:
    client.start("echo-async", input={"delayMs": 300})
    assert client.start("echo-async", input={"delayMs": 300}).status_code == 202
    other = client.start("echo-async", input={"delayMs": 301})
    assert error_of(other) == (422, "idempotency_conflict", "configuration")
    assert client.ended("echo-async")["status"] == "completed"
    assert client.effects() == ["completed"]


def test_cancelling_stops_running_work_and_refuses_the_key(client: Client) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.start, input={"delayMs": 8000}, timeoutMs=9000)
        until(lambda: client.effects() == ["running"])
        assert client.cancel().json() == {"id": client.key, "status": "cancelled"}
        assert error_of(waiting.result(PATIENCE_SECONDS)) == (409, "cancelled", "critical")
    assert time.monotonic() - began < 7
    assert client.find().json() == {"id": client.key, "status": "cancelled"}
    assert error_of(client.start(input={"delayMs": 8000})) == (409, "cancelled", "critical")
    assert client.effects() == ["cancelled"]


def test_cancelling_finished_work_changes_nothing(client: Client) -> None:
    client.start(input={"a": 1})
    assert client.cancel().json()["status"] == "completed"
    assert client.start(input={"a": 1}).json()["output"] == {"a": 1}


def test_cancelling_an_unused_key_refuses_it_for_good(client: Client) -> None:
    assert [client.cancel().json()["status"] for _ in range(2)] == ["cancelled", "cancelled"]
    assert error_of(client.start()) == (409, "cancelled", "critical")
    assert client.find().json()["status"] == "cancelled"
    assert client.effects() == []


def test_cancelling_failed_work_keeps_its_status_and_refuses_the_key(client: Client) -> None:
    client.start(input={"failTimes": 1})
    assert client.cancel().json()["status"] == "failed"
    assert client.find().json()["status"] == "failed"
    assert error_of(client.start(input={"failTimes": 1})) == (409, "cancelled", "critical")
    assert client.effects() == ["failed"]


def test_an_unknown_execution(client: Client) -> None:
    answer = client.find()
    assert (answer.status_code, answer.json()["code"]) == (404, "execution_not_found")


@pytest.mark.parametrize("pattern", ["{}/b//c", "{}50%25", "{}?query#fragment", "{}:b:0", "//{}", "{}/", "{}&a=b+c"])
def test_keys_are_percent_encoded_in_paths(client: Client, pattern: str) -> None:
    key = pattern.format(client.execution_id)
    client.start(key=key)
    assert client.find(key=key).json()["id"] == key
    assert client.cancel(key=key).json() == {"id": key, "status": "completed"}


def test_effects_tell_who_did_what(client: Client) -> None:
    client.start(blockId="one")
    [effect] = client.get("/effects", executionId=client.execution_id).json()["effects"]
    assert (effect["key"], effect["agentId"], effect["blockId"]) == (client.key, "echo", "one")
    assert effect["startedAt"] <= effect["endedAt"]


def test_the_release_policy_is_down_at_first(agent_service: str, client: Client) -> None:
    def ask(**headers: str) -> int:
        answer = requests.get(f"{agent_service}/reference/release-policy", headers=headers, timeout=PATIENCE_SECONDS)
        return _kept(answer, "/reference/release-policy", "get").status_code

    asked = [ask(**{"X-Execution-Id": client.execution_id}) for _ in range(4)]
    assert asked == [503, 503, 200, 200]
    assert ask() == 200
