"""Ports that are watched do what the ones behind them do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.support.scrape import samples
from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, AgentCall, Completed, Failure, FailureClass
from workflow_service.domain.plan import Line
from workflow_service.metrics.ports import WatchedAgents, WatchedDispatcher
from workflow_service.metrics.registry import Registry
from workflow_service.services.ports import Dispatch

CALL = AgentCall(agent_id="a", idempotency_key="k", workspace_id="w", execution_id="e", block_id="b",
                 tool_type="script", input={}, timeout=timedelta(seconds=1))


class Agents:
    """Answers as told, after two and a half seconds."""

    def __init__(self, answer: AgentAnswer) -> None:
        """Take the answer."""
        self.answer = answer
        self.time_s = 0.0

    def agents(self) -> Sequence[Agent]:
        """Return none."""
        return ()

    def run(self, call: AgentCall) -> AgentAnswer:
        """Answer."""
        self.time_s += 2.5
        return self.answer

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Answer."""
        return self.answer

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop."""
        return True


class Dispatcher:
    """Sends or not, as told."""

    def __init__(self, sends: bool) -> None:
        """Take what it does."""
        self.sends = sends
        self.given: list[Sequence[Dispatch]] = []

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Write down what is to be sent."""
        self.given.append(dispatches)
        return self.sends


@pytest.mark.parametrize(("answer", "outcome"), [
    (Completed(output={}), "completed"), (Accepted(ask_again_after=timedelta(seconds=1)), "accepted"),
    (Failure(code="x", failure_class=FailureClass.TRANSIENT, message="No."), "transient"),
    (Failure(code="x", failure_class=FailureClass.CRITICAL, message="No."), "critical")])
def test_calls_of_agents_are_timed(answer: AgentAnswer, outcome: str) -> None:
    agents, registry = Agents(answer), Registry({})
    watched = WatchedAgents(agents, registry, lambda: agents.time_s)
    assert watched.run(CALL) is watched.result("a", "k") is answer
    assert (watched.agents(), watched.stop("a", "k")) == ((), True)
    found = samples(registry.text())
    assert found[f'workflow_agent_call_duration_seconds_count{{outcome="{outcome}"}}'] == 1
    assert found[f'workflow_agent_call_duration_seconds_sum{{outcome="{outcome}"}}'] == 2.5


@pytest.mark.parametrize(("sends", "result"), [(True, "sent"), (False, "failed")])
def test_publishes_are_counted(sends: bool, result: str) -> None:
    dispatcher, registry = Dispatcher(sends), Registry({})
    watched = WatchedDispatcher(dispatcher, registry)
    wanted = [Dispatch(workspace_id="w", execution_id="e", epoch=1, segment=Line(runs=(("a",),)))]
    assert watched.dispatch(wanted) is watched.dispatch([]) is sends
    assert dispatcher.given == [wanted, []]
    found = samples(registry.text())
    assert {name: value for name, value in found.items() if name.startswith("workflow_publishes_total") and value} == {
        f'workflow_publishes_total{{result="{result}"}}': 1.0}
