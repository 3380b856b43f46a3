"""What every adapter of the port ``AgentService`` must do.

It runs on the one in memory, and on the one over HTTP with the reference Agent Service behind it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
import requests

from tests.support.services import running_agent_service
from workflow_service.domain.agents import (
    Accepted,
    Agent,
    AgentAnswer,
    AgentCall,
    Completed,
    Failure,
    FailureClass,
)
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations.agent_service import HttpAgentService
from workflow_service.integrations.http import JsonClient, Retries
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent, Outcome
from workflow_service.services.ports import AgentService

PATIENCE_SECONDS = 10.0
ECHO_INPUT = {"type": "object", "properties": {"delayMs": {"type": "integer", "minimum": 0}}}
TOOL_TYPES = ("api", "script", "use_case", "mcp")


class World(Protocol):
    """An Agent Service with the agents ``echo``, ``echo-async`` (always accepts) and ``echo-offline``."""

    @property
    def service(self) -> AgentService:
        """The adapter under test."""

    def newcomer(self) -> AgentService:
        """Return an adapter of the same service that has asked it nothing yet."""

    def effects(self, execution_id: str) -> list[str]:
        """Return the keys under which work began, in order."""

    def let_go(self, call: AgentCall) -> None:
        """Let accepted work come to its end soon."""

    def go_down(self) -> None:
        """Let the service vanish."""

    def come_back(self) -> None:
        """Let the service be there again."""


class InMemoryWorld:
    """The adapter in memory."""

    def __init__(self) -> None:
        """Make the agents."""
        self._failures: Counter[str] = Counter()
        self.service = InMemoryAgentService([
            self._agent("echo", self._echo), self._agent("echo-offline", self._echo, status="unavailable"),
            self._agent("echo-async", lambda given: Accepted(ask_again_after=timedelta(milliseconds=100)))])

    def newcomer(self) -> AgentService:
        """Return the adapter: it remembers no registry."""
        return self.service

    def effects(self, execution_id: str) -> list[str]:
        """Return the keys under which work began, in order."""
        return [effect.idempotency_key for effect in self.service.effects if effect.execution_id == execution_id]

    def let_go(self, call: AgentCall) -> None:
        """End the work."""
        self.service.finish(call.agent_id, call.idempotency_key, self._echo(call.input))

    def go_down(self) -> None:
        """Let the service vanish."""
        self.service.set_available(False)

    def come_back(self) -> None:
        """Let the service be there again."""
        self.service.set_available(True)

    @staticmethod
    def _agent(agent_id: str, work: Callable[[Mapping[str, Any]], Outcome], status: str = "available") -> InMemoryAgent:
        return InMemoryAgent(work=work, agent=Agent(
            agent_id=agent_id, name="Echo", type="echo", tool_types=TOOL_TYPES, capabilities=("echo",), status=status,
            input_schema=ECHO_INPUT))

    def _echo(self, given: Mapping[str, Any]) -> Outcome:
        order = json.dumps(given, sort_keys=True)
        self._failures[order] += 1
        if self._failures[order] <= given.get("failTimes", 0):
            error = given.get("failWith", {})
            pause = error.get("retryAfterMs")
            return Failure(code=error.get("code", "echo_failed"), message="Asked to fail.",
                           failure_class=FailureClass(error.get("class", "transient")),
                           retry_after=None if pause is None else timedelta(milliseconds=pause))
        return dict(given.get("output", given))


class HttpWorld:
    """The adapter over HTTP, and the reference service."""

    def __init__(self, url: str, client: JsonClient, kill: Callable[[], None], restart: Callable[[], None]) -> None:
        """Take the service."""
        self.service = HttpAgentService(client, registry_ttl=timedelta(0))
        self._client = client
        self._url = url
        self._kill = kill
        self._restart = restart

    def newcomer(self) -> AgentService:
        """Return another adapter on the same connection."""
        return HttpAgentService(self._client, registry_ttl=timedelta(0))

    def effects(self, execution_id: str) -> list[str]:
        """Return the keys under which work began, in order."""
        answer = requests.get(f"{self._url}/effects", params={"executionId": execution_id}, timeout=PATIENCE_SECONDS)
        return [effect["key"] for effect in answer.json()["effects"]]

    def let_go(self, call: AgentCall) -> None:
        """Do nothing: the service goes on by itself."""

    def go_down(self) -> None:
        """Kill the service."""
        self._kill()

    def come_back(self) -> None:
        """Start the service again."""
        self._restart()


@pytest.fixture(scope="module", params=["memory", "http"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give an Agent Service."""
    if request.param == "memory":
        yield InMemoryWorld()
        return
    with running_agent_service(tmp_path_factory.mktemp("agents")) as server, JsonClient(
            server.url, service="Agent Service", timeout=timedelta(seconds=PATIENCE_SECONDS),
            retries=Retries(attempts=2, first_delay=timedelta(milliseconds=1))) as client:
        yield HttpWorld(server.url, client, server.process.kill, server.process.restart)


@pytest.fixture
def agents(world: World) -> AgentService:
    """Give the adapter under test."""
    return world.service


def new_call(agent_id: str = "echo", **changes: Any) -> AgentCall:
    """Return a call of an execution of its own; its key has all characters that keys are made of."""
    execution_id = uuid4().hex
    usual: dict[str, Any] = {
        "agent_id": agent_id, "idempotency_key": f"{execution_id}:~join-1_b:2:1", "workspace_id": "w-1",
        "execution_id": execution_id, "block_id": "~join-1_b:2", "tool_type": "script",
        "input": {"mark": execution_id}, "timeout": timedelta(seconds=5)}
    return AgentCall(**{**usual, **changes})


def kind_of(answer: AgentAnswer) -> tuple[str, FailureClass]:
    """Return code and class of a failure."""
    assert isinstance(answer, Failure), answer
    assert answer.message
    return answer.code, answer.failure_class


def end_of(agents: AgentService, call: AgentCall) -> AgentAnswer:
    """Ask for the result until there is one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    answer = agents.result(call.agent_id, call.idempotency_key)
    while isinstance(answer, Accepted):
        assert time.monotonic() < deadline, "the work does not end"
        time.sleep(0.02)
        answer = agents.result(call.agent_id, call.idempotency_key)
    return answer


CANCELLED = ("cancelled", FailureClass.CRITICAL)


def test_the_registry(agents: AgentService) -> None:
    found = {agent.agent_id: agent for agent in agents.agents()}
    echo = found["echo"]
    assert (echo.type, set(echo.tool_types), echo.status) == ("echo", set(TOOL_TYPES), "available")
    assert "echo" in echo.capabilities
    assert echo.input_schema["properties"]["delayMs"]["type"] == "integer"
    assert found["echo-offline"].status == "unavailable"


@pytest.mark.parametrize("output", [
    {}, {"text": "é \U0001f600 \0"}, {"numbers": [0, -1, 2**53, 2**63 - 1, 0.1, -1.5e300], "none": None},
    {"deep": {"er": [[[{"x": True}]]]}}, {"": 1, "a.b": 2, "$c": 3}])
def test_the_work_is_done(agents: AgentService, output: dict[str, Any]) -> None:
    call = new_call()
    answer = agents.run(replace(call, input={**call.input, "output": output}))
    assert isinstance(answer, Completed)
    assert answer.output == output


def test_large_work_is_done(agents: AgentService) -> None:
    output = {"text": "x" * 2_000_000}
    answer = agents.run(new_call(input={"output": output}))
    assert isinstance(answer, Completed) and answer.output == output


def test_the_same_key_does_the_work_once(world: World, agents: AgentService) -> None:
    call = new_call()
    first = agents.run(call)
    assert isinstance(first, Completed)
    for _ in range(3):
        assert agents.run(call) == first
    assert agents.run(replace(call, timeout=timedelta(seconds=1))) == first
    assert agents.result("echo", call.idempotency_key) == first
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_the_same_key_at_the_same_time_does_the_work_once(world: World, agents: AgentService) -> None:
    call = new_call()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(agents.run, [call] * 8))
    assert all(isinstance(answer, Completed | Accepted) for answer in answers)
    assert isinstance(end_of(agents, call), Completed)
    assert world.effects(call.execution_id) == [call.idempotency_key]


@pytest.mark.parametrize("changes", [
    {"input": {"other": 1}}, {"block_id": "other"}, {"workspace_id": "other"}, {"tool_type": "api"}])
def test_the_same_key_for_another_request_is_refused(world: World, agents: AgentService,
                                                     changes: dict[str, Any]) -> None:
    call = new_call()
    agents.run(call)
    assert kind_of(agents.run(replace(call, **changes))) == ("idempotency_conflict", FailureClass.CONFIGURATION)
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_a_key_belongs_to_one_agent(world: World, agents: AgentService) -> None:
    call = new_call()
    other = replace(call, agent_id="echo-async")
    agents.run(call)
    assert isinstance(agents.run(other), Accepted)
    world.let_go(other)
    assert isinstance(end_of(agents, other), Completed)
    assert len(world.effects(call.execution_id)) == 2


@pytest.mark.parametrize("failure_class", list(FailureClass))
def test_a_failure_says_what_it_is_and_frees_the_key(world: World, agents: AgentService,
                                                     failure_class: FailureClass) -> None:
    call = new_call()
    call = replace(call, input={**call.input, "failTimes": 1, "output": {"at": "last"},
                                "failWith": {"code": "odd", "class": failure_class.value, "retryAfterMs": 1234}})
    failure = agents.run(call)
    assert kind_of(failure) == ("odd", failure_class)
    assert isinstance(failure, Failure) and failure.retry_after == timedelta(milliseconds=1234)
    assert kind_of(agents.result("echo", call.idempotency_key)) == ("odd", failure_class)
    second = agents.run(call)
    assert isinstance(second, Completed) and second.output == {"at": "last"}
    assert len(world.effects(call.execution_id)) == 2


def test_a_failure_need_not_ask_for_time(agents: AgentService) -> None:
    failure = agents.run(new_call(input={"mark": uuid4().hex, "failTimes": 1}))
    assert isinstance(failure, Failure) and failure.retry_after is None


@pytest.mark.parametrize(("call", "code", "failure_class"), [
    (new_call("nobody"), "agent_not_found", FailureClass.AGENT),
    (new_call("echo-offline"), "agent_unavailable", FailureClass.AGENT),
    (new_call(tool_type="api", input={"delayMs": "long"}), "invalid_input", FailureClass.CONFIGURATION),
    (new_call(input={"x": float("nan")}), "invalid_input", FailureClass.CONFIGURATION),
    (new_call(input={"x": {1, 2}}), "invalid_input", FailureClass.CONFIGURATION)])
def test_a_call_that_can_not_be_taken(world: World, agents: AgentService, call: AgentCall, code: str,
                                      failure_class: FailureClass) -> None:
    assert kind_of(agents.run(call)) == (code, failure_class)
    assert world.effects(call.execution_id) == []


def test_accepted_work_goes_on_alone(world: World, agents: AgentService) -> None:
    call = new_call("echo-async")
    answer = agents.run(call)
    assert isinstance(answer, Accepted) and answer.ask_again_after == timedelta(milliseconds=100)
    world.let_go(call)
    end = end_of(agents, call)
    assert isinstance(end, Completed) and end.output == call.input
    assert agents.run(call) == end
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_accepted_work_may_fail(world: World, agents: AgentService) -> None:
    call = new_call("echo-async", input={"mark": uuid4().hex, "failTimes": 1, "failWith": {"code": "odd"}})
    agents.run(call)
    world.let_go(call)
    assert kind_of(end_of(agents, call)) == ("odd", FailureClass.TRANSIENT)


def test_accepted_work_can_be_asked_for_by_calling_again(world: World, agents: AgentService) -> None:
    call = new_call("echo-async", input={"mark": uuid4().hex, "delayMs": 60_000}, timeout=timedelta(minutes=2))
    assert isinstance(agents.run(call), Accepted)
    assert isinstance(agents.run(call), Accepted)
    assert isinstance(agents.result("echo-async", call.idempotency_key), Accepted)
    assert kind_of(agents.run(replace(call, input={}))) == ("idempotency_conflict", FailureClass.CONFIGURATION)
    assert world.effects(call.execution_id) == [call.idempotency_key]
    assert agents.stop("echo-async", call.idempotency_key)


def test_nothing_is_known_under_a_key_that_was_never_used(agents: AgentService) -> None:
    assert kind_of(agents.result("echo", "e:b:1")) == ("execution_lost", FailureClass.TRANSIENT)


def test_nothing_is_said_of_the_calls_of_an_agent_that_nobody_knows(agents: AgentService) -> None:
    with pytest.raises(Unavailable):
        agents.result("nobody", "e:b:1")


def test_a_call_that_was_stopped_before_it_came_never_starts(world: World, agents: AgentService) -> None:
    call = new_call()
    for _ in range(2):
        assert agents.stop("echo", call.idempotency_key)
    assert kind_of(agents.run(call)) == CANCELLED
    assert kind_of(agents.result("echo", call.idempotency_key)) == CANCELLED
    assert world.effects(call.execution_id) == []


def test_a_call_that_runs_can_be_stopped(world: World, agents: AgentService) -> None:
    call = new_call("echo-async", input={"mark": uuid4().hex, "delayMs": 60_000}, timeout=timedelta(minutes=2))
    agents.run(call)
    assert agents.stop("echo-async", call.idempotency_key)
    assert kind_of(agents.result("echo-async", call.idempotency_key)) == CANCELLED
    assert kind_of(agents.run(call)) == CANCELLED
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_a_call_that_has_ended_stays_as_it_is(world: World, agents: AgentService) -> None:
    call = new_call()
    answer = agents.run(call)
    assert agents.stop("echo", call.idempotency_key)
    assert agents.result("echo", call.idempotency_key) == agents.run(call) == answer
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_a_call_that_failed_and_was_stopped_does_not_start_again(world: World, agents: AgentService) -> None:
    call = new_call(input={"mark": uuid4().hex, "failTimes": 1})
    agents.run(call)
    assert agents.stop("echo", call.idempotency_key)
    assert kind_of(agents.run(call)) == CANCELLED
    assert kind_of(agents.result("echo", call.idempotency_key)) == ("echo_failed", FailureClass.TRANSIENT)
    assert world.effects(call.execution_id) == [call.idempotency_key]


def test_an_agent_that_nobody_knows_runs_nothing(agents: AgentService) -> None:
    assert agents.stop("nobody", "e:b:1")


def test_a_service_that_is_down_and_comes_back(world: World, agents: AgentService) -> None:
    before, never, late = new_call(), new_call(), new_call()
    done = agents.run(before)
    assert agents.stop("echo", never.idempotency_key)
    world.go_down()
    try:
        assert kind_of(agents.run(late)) == ("agent_service_unreachable", FailureClass.TRANSIENT)
        with pytest.raises(Unavailable):
            agents.result("echo", before.idempotency_key)
        assert not agents.stop("echo", late.idempotency_key)
        with pytest.raises(Unavailable):
            world.newcomer().agents()
    finally:
        world.come_back()
    assert agents.run(before) == agents.result("echo", before.idempotency_key) == done
    assert kind_of(agents.run(never)) == CANCELLED
    assert isinstance(agents.run(late), Completed)
    assert [len(world.effects(call.execution_id)) for call in (before, never, late)] == [1, 0, 1]
