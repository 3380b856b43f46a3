"""What ``InMemoryAgentService`` has beyond the port."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from workflow_service.domain.agents import Accepted, Agent, AgentCall, Completed, Failure, FailureClass
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent, Work


def service(work: Work) -> InMemoryAgentService:
    """Return a service with one agent."""
    agent = Agent(agent_id="a", name="A", type="t", tool_types=("api",))
    return InMemoryAgentService([InMemoryAgent(agent=agent, work=work)])


def call(key: str = "k", given: Mapping[str, Any] | None = None) -> AgentCall:
    """Return a call of the agent."""
    return AgentCall(agent_id="a", idempotency_key=key, workspace_id="w", execution_id="e", block_id="b",
                     tool_type="api", input=given or {}, timeout=timedelta(seconds=1))


def code(answer: object) -> str:
    """Return the code of a failure."""
    assert isinstance(answer, Failure)
    return answer.code


def test_effects_are_recorded_when_work_begins() -> None:
    agents = service(lambda given: {"twice": given["n"] * 2})
    assert agents.run(call(given={"n": 2})) == agents.run(call(given={"n": 2})) == Completed(output={"twice": 4})
    (effect,) = agents.effects
    assert (effect.agent_id, effect.idempotency_key, effect.execution_id, effect.block_id, effect.input) == (
        "a", "k", "e", "b", {"n": 2})


def test_work_that_was_accepted_is_ended_by_hand() -> None:
    agents = service(lambda given: Accepted(ask_again_after=timedelta(seconds=7)))
    assert agents.run(call()) == agents.result("a", "k") == Accepted(ask_again_after=timedelta(seconds=7))
    agents.finish("a", "k", {"late": True})
    assert agents.result("a", "k") == agents.run(call()) == Completed(output={"late": True})
    assert len(agents.effects) == 1
    with pytest.raises(KeyError):
        agents.finish("a", "other", {})


def test_work_that_was_accepted_and_stopped_stays_stopped() -> None:
    agents = service(lambda given: Accepted(ask_again_after=timedelta(seconds=7)))
    agents.run(call())
    assert agents.stop("a", "k")
    agents.finish("a", "k", {"late": True})
    assert code(agents.result("a", "k")) == code(agents.run(call())) == "cancelled"


def test_a_function_that_runs_can_be_stopped() -> None:
    entered, leave = threading.Event(), threading.Event()

    def work(given: Mapping[str, Any]) -> Mapping[str, Any]:
        entered.set()
        assert leave.wait(5)
        return {}

    agents = service(work)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(agents.run, call())
        assert entered.wait(5)
        assert isinstance(agents.run(call()), Accepted)
        assert agents.stop("a", "k")
        leave.set()
        assert code(running.result(5)) == "cancelled"
    assert code(agents.run(call())) == "cancelled"
    assert len(agents.effects) == 1


def test_a_function_that_raises_is_a_failure_of_the_agent() -> None:
    def work(given: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError("secret")

    failure = service(work).run(call())
    assert isinstance(failure, Failure)
    assert (failure.code, failure.failure_class) == ("agent_failed", FailureClass.AGENT)
    assert "secret" not in failure.message


@pytest.mark.parametrize("output", [{"x": float("inf")}, {"x": object()}])
def test_an_output_that_is_no_json_is_a_bad_answer(output: Mapping[str, Any]) -> None:
    assert code(service(lambda given: output).run(call())) == "bad_answer"


def test_functions_can_not_change_what_others_see() -> None:
    kept: list[Any] = []
    output = {"list": [1]}

    def work(given: Mapping[str, Any]) -> Mapping[str, Any]:
        kept.append(given)
        return output

    agents = service(work)
    given = {"list": [1]}
    answer = agents.run(call(given=given))
    kept[0]["list"].append(2)
    output["list"].append(2)
    assert given == {"list": [1]} and answer == Completed(output={"list": [1]})


def test_a_lost_answer_does_not_lose_the_work() -> None:
    agents = service(lambda given: {"done": True})
    agents.lose_answers(1)
    assert code(agents.run(call())) == "agent_service_unreachable"
    assert agents.run(call()) == Completed(output={"done": True})
    assert len(agents.effects) == 1


def test_a_service_that_is_not_there() -> None:
    agents = service(lambda given: {})
    agents.set_available(False)
    assert code(agents.run(call())) == "agent_service_unreachable"
    with pytest.raises(Unavailable):
        agents.result("a", "k")
    assert not agents.stop("a", "k")
    with pytest.raises(Unavailable):
        agents.agents()
    assert not agents.effects
    agents.set_available(True)
    assert isinstance(agents.run(call()), Completed)


def test_agents_can_be_added_and_replaced() -> None:
    agents = service(lambda given: {"version": 1})
    agents.run(call("old"))
    agents.put_agent(InMemoryAgent(agent=agents.agents()[0], work=lambda given: {"version": 2}))
    assert agents.run(call("old")) == Completed(output={"version": 1})
    assert agents.run(call("new")) == Completed(output={"version": 2})
