"""Starting, waiting for and stopping work, with tools that do what a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.agent_service.agents import Agent
from sandbox.agent_service.config import AgentServiceConfig
from sandbox.agent_service.errors import AgentServiceError, AgentUnavailable, Cancelled
from sandbox.agent_service.execution_request import ExecutionRequest
from sandbox.agent_service.executions import Executions
from sandbox.agent_service.journal import Journal
from sandbox.agent_service.tools.base import Tool, ToolCall, ToolResult
from tests.unit.sandbox.agent_service.conftest import PATIENCE_SECONDS, until

Start = Callable[..., Executions]


class FakeTool:
    """Does what it is told."""

    def __init__(self, work: Callable[[ToolCall], dict[str, Any]]) -> None:
        """Take the work."""
        self.runs = 0
        self._work = work

    def run(self, call: ToolCall) -> ToolResult:
        """Count and work."""
        self.runs += 1
        return ToolResult(output=self._work(call), usage={"tokens": 2})


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Build executions with one tool for ``script``."""
    built: list[tuple[Executions, Journal]] = []

    def build(tool: Tool, **changes: Any) -> Executions:
        journal = Journal(tmp_path / "journal.sqlite")
        config = AgentServiceConfig(database_directory=tmp_path, workspace_directory=tmp_path, **changes)
        built.append((Executions(journal, {"script": tool}, config), journal))
        return built[-1][0]

    yield build
    for executions, journal in built:
        executions.close()
        journal.close()


@pytest.fixture
def agent(make_agent: Callable[..., Agent]) -> Agent:
    """Give an agent that runs the fake tool."""
    return make_agent(type="trial")


def test_an_answer_carries_output_and_usage(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    answer = start(FakeTool(lambda call: {"a": 1})).start(agent, make_request())
    assert (answer.key, answer.output, answer.replayed) == ("e:b:0", {"a": 1}, False)
    assert answer.usage is not None and answer.usage["tokens"] == 2 and answer.usage["durationMs"] >= 0


def test_slow_work_is_answered_later(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    go_on = threading.Event()
    tool = FakeTool(lambda call: {"waited": go_on.wait(PATIENCE_SECONDS)})
    executions = start(tool, patience=timedelta(seconds=0.05))
    assert executions.start(agent, make_request()).output is None
    assert executions.find(agent, "e:b:0").status == "running"
    go_on.set()
    until(lambda: executions.find(agent, "e:b:0").status == "completed")
    answer = executions.start(agent, make_request())
    assert (answer.output, answer.replayed) == ({"waited": True}, True)


def test_a_crowd_is_answered_later_so_that_threads_stay_free(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    go_on = threading.Event()
    executions = start(FakeTool(lambda call: {"waited": go_on.wait(PATIENCE_SECONDS)}), crowded_from=2,
                       crowded_patience=timedelta(seconds=0.05))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(executions.start, agent, make_request(key="first"))
        until(lambda: len(executions.effects(None)) == 1)
        assert executions.start(agent, make_request(key="second")).output is None
        assert not first.done()
        go_on.set()
        assert first.result(PATIENCE_SECONDS).output == {"waited": True}


def test_a_crash_is_the_agents_failure_and_tells_nothing(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    def crash(call: ToolCall) -> dict[str, Any]:
        raise RuntimeError("secret")

    error = _failure(start(FakeTool(crash)), agent, make_request())
    assert (error.code, error.failure_class) == ("agent_failed", "agent")
    assert "secret" not in error.message


def test_output_that_does_not_fit_is_the_agents_failure(
        start: Start, make_agent: Callable[..., Agent], make_request: Callable[..., ExecutionRequest]) -> None:
    strict = make_agent(type="trial", output_schema={"properties": {"a": {"type": "string"}}})
    error = _failure(start(FakeTool(lambda call: {"a": 1})), strict, make_request())
    assert (error.code, error.failure_class) == ("invalid_output", "agent")
    assert "output.a" in error.message


def test_an_unavailable_agent_still_gives_its_stored_answers(
        start: Start, make_agent: Callable[..., Agent], make_request: Callable[..., ExecutionRequest]) -> None:
    executions = start(FakeTool(lambda call: {"a": 1}))
    executions.start(make_agent(type="trial"), make_request())
    offline = make_agent(type="trial", available=False)
    assert executions.start(offline, make_request()).replayed
    with pytest.raises(AgentUnavailable):
        executions.start(offline, make_request(key="new"))


@pytest.mark.parametrize(("allowed", "own"), [(0.05, 60.0), (60.0, 0.05)])
def test_the_shorter_time_limit_holds(
        start: Start, make_agent: Callable[..., Agent], make_request: Callable[..., ExecutionRequest],
        allowed: float, own: float) -> None:
    def work(call: ToolCall) -> dict[str, Any]:
        while True:
            call.seconds_left()
            time.sleep(0.01)

    agent = make_agent(type="trial", time_limit=timedelta(seconds=own))
    error = _failure(start(FakeTool(work)), agent, make_request(timeout=timedelta(seconds=allowed)))
    assert error.code == "timed_out"


def test_work_that_cannot_be_stopped_is_cancelled_and_its_result_dropped(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    go_on = threading.Event()
    tool = FakeTool(lambda call: {"waited": go_on.wait(PATIENCE_SECONDS)})
    executions = start(tool, stop_patience=timedelta(seconds=0.05))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(executions.start, agent, make_request())
        until(lambda: len(executions.effects(None)) == 1)
        assert executions.cancel(agent, "e:b:0") == "cancelled"
        go_on.set()
        with pytest.raises(Cancelled):
            waiting.result(PATIENCE_SECONDS)
    found = executions.find(agent, "e:b:0")
    assert (found.status, found.output) == ("cancelled", None)


def test_work_that_waits_for_a_thread_can_be_cancelled(
        start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    go_on = threading.Event()
    tool = FakeTool(lambda call: {"waited": go_on.wait(PATIENCE_SECONDS)})
    executions = start(tool, work_threads=1, patience=timedelta(seconds=0.02))
    executions.start(agent, make_request(key="first"))
    executions.start(agent, make_request(key="second"))
    with ThreadPoolExecutor(1) as pool:
        cancelling = pool.submit(executions.cancel, agent, "second")
        until(lambda: executions.find(agent, "second").status == "running")
        go_on.set()
        assert cancelling.result(PATIENCE_SECONDS) == "cancelled"
    assert tool.runs == 1


def test_closing_stops_the_work(start: Start, agent: Agent, make_request: Callable[..., ExecutionRequest]) -> None:
    def work(call: ToolCall) -> dict[str, Any]:
        call.cancellation.sleep(PATIENCE_SECONDS)
        return {}

    executions = start(FakeTool(work), patience=timedelta(seconds=0.02))
    executions.start(agent, make_request())
    began = time.monotonic()
    executions.close()
    assert time.monotonic() - began < PATIENCE_SECONDS / 2


def _failure(executions: Executions, agent: Agent, request: ExecutionRequest) -> AgentServiceError:
    with pytest.raises(AgentServiceError) as raised:
        executions.start(agent, request)
    assert executions.find(agent, request.key).error == raised.value.body()
    return raised.value
