"""The registry of agents, shared by processes: bounded in age, and forgotten when a call shows that it is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Completed, Failure, FailureClass
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations.cache.agents import KEY, CachedAgents
from workflow_service.integrations.memory.cache import CacheInMemory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ECHO = Agent(agent_id="echo", name="Echo", type="script", tool_types=("script", "api"), capabilities=("repeat",),
             status="busy", input_schema={"type": "object", "required": ["text"]})
NEW = Agent(agent_id="new", name="New", type="script", tool_types=("script",))
NOT_FOUND = Failure(code="agent_not_found", failure_class=FailureClass.CONFIGURATION, message="No such agent.")


class Service:
    """An Agent Service; time goes on by hand."""

    def __init__(self) -> None:
        """One agent, which answers."""
        self.registry: list[Agent] = [ECHO]
        self.is_away = False
        self.fetched = 0
        self.time_s = 0.0
        self.answer: AgentAnswer = Completed(output={})

    def fetch(self) -> Sequence[Agent]:
        """Return the registry."""
        self.fetched += 1
        if self.is_away:
            raise Unavailable("The Agent Service")
        return list(self.registry)

    def agents(self) -> Sequence[Agent]:
        """Nobody asks here."""
        raise AssertionError("the registry is fetched")

    def run(self, call: AgentCall) -> AgentAnswer:
        """Answer as told."""
        return self.answer

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Answer as told."""
        return self.answer

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop."""
        return True

    def monotonic(self) -> float:
        """Return the time."""
        return self.time_s

    def now(self) -> datetime:
        """Return the time."""
        return NOON + timedelta(seconds=self.time_s)


@pytest.fixture
def service() -> Service:
    """A service that answers."""
    return Service()


@pytest.fixture
def cache() -> CacheInMemory:
    """An empty cache."""
    return CacheInMemory()


@pytest.fixture
def looks() -> Counter[str]:
    """How looks into the cache ended."""
    return Counter()


Process = Callable[[], CachedAgents]


@pytest.fixture
def process(service: Service, cache: CacheInMemory, looks: Counter[str]) -> Process:
    """Makes what one process has."""
    return lambda: CachedAgents(service, service.fetch, cache, kept_for=timedelta(hours=1), monotonic=service.monotonic,
                                watch=lambda kind, outcome: looks.update([outcome.value]), now=service.now)


def call(agent_id: str = "gone") -> AgentCall:
    """Return a call of an agent."""
    return AgentCall(agent_id=agent_id, idempotency_key="k", workspace_id="w", execution_id="e", block_id="b",
                     tool_type="script", input={}, timeout=timedelta(seconds=1))


def test_many_processes_fetch_once(service: Service, process: Process, looks: Counter[str]) -> None:
    assert [process().agents() for _ in range(4)] == [[ECHO], (ECHO,), (ECHO,), (ECHO,)]
    assert service.fetched == 1
    assert looks == {"miss": 1, "hit": 3}


def test_a_new_agent_is_known_everywhere_after_ten_seconds(service: Service, process: Process) -> None:
    first, second = process(), process()
    first.agents()
    service.time_s = 4.9
    second.agents()  # just before it grows too old
    service.registry.append(NEW)
    service.time_s = 9.8
    assert NEW not in second.agents()
    assert NEW in first.agents()
    service.time_s = 9.9
    assert NEW in second.agents()


@pytest.mark.parametrize("away", [False, True])
def test_a_call_for_an_agent_that_is_gone_makes_everybody_look_again(
        service: Service, process: Process, cache: CacheInMemory, away: bool) -> None:
    agents = process()
    agents.agents()
    service.registry = [NEW]
    service.answer, cache.is_away = NOT_FOUND, away
    assert agents.run(call()) is NOT_FOUND
    assert list(agents.agents()) == [NEW]
    if not away:
        assert list(process().agents()) == [NEW]


def test_an_agent_that_never_was_does_not_keep_everybody_fetching(service: Service, process: Process) -> None:
    agents = process()
    service.answer = NOT_FOUND
    for service.time_s in (0.0, 1.0, 2.0, 3.0):
        agents.run(call())
        agents.agents()
    assert service.fetched == 1
    agents.run(call("another"))
    agents.agents()
    assert service.fetched == 2
    service.time_s = 61.0
    agents.agents()
    agents.run(call())
    agents.agents()
    assert service.fetched == 4


def test_other_answers_change_nothing(service: Service, process: Process) -> None:
    agents = process()
    agents.agents()
    for service.answer in (Completed(output={}),
                           Failure(code="odd", failure_class=FailureClass.AGENT, message="No.")):
        assert agents.run(call()) is agents.result("a", "k") is service.answer
        agents.agents()
    assert agents.stop("a", "k") is True
    assert service.fetched == 1


def test_while_the_service_is_away_the_last_registry_is_good_enough(
        service: Service, process: Process, looks: Counter[str]) -> None:
    process().agents()
    service.is_away, service.time_s = True, 600.0
    assert list(process().agents()) == [ECHO]
    assert looks["stale"] == 1


def test_without_a_service_and_without_a_cache_it_is_said(
        service: Service, process: Process, cache: CacheInMemory) -> None:
    service.is_away = True
    for cache.is_away in (False, True):
        with pytest.raises(Unavailable):
            process().agents()


def test_without_a_cache_each_process_fetches_for_itself(service: Service, process: Process, cache: CacheInMemory,
                                                         looks: Counter[str]) -> None:
    cache.is_away = True
    agents = process()
    assert agents.agents() == agents.agents() == process().agents() == [ECHO]
    assert service.fetched == 2
    assert looks == {"away": 2}


def _changed(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps({**json.loads(text), **fields}).encode()


@pytest.mark.parametrize("spoil", [
    lambda text: b"", lambda text: b"\xff", lambda text: b"7", lambda text: b"{}", lambda text: b"[" * 100_000,
    _changed(schema=2), _changed(at="soon"), _changed(at=7), _changed(at="2026-03-01T12:00:00"),
    _changed(at="2026-03-01T13:00:00+00:00"), _changed(agents={}), _changed(agents=[{"agentId": "half"}]),
])
def test_what_is_wrong_in_the_cache_is_not_used_and_is_mended(
        service: Service, process: Process, cache: CacheInMemory, looks: Counter[str],
        spoil: Callable[[bytes], bytes]) -> None:
    process().agents()
    good = cache.kept[KEY]
    cache.kept[KEY] = spoil(good)
    assert process().agents() == [ECHO]
    assert looks["wrong"] == 1
    assert cache.kept[KEY] == good
