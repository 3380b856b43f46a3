"""Ports that are watched: each does what the one behind it does, and counts it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Failure
from workflow_service.metrics.catalogue import AGENT_CALLS, PUBLISHES
from workflow_service.metrics.registry import Registry
from workflow_service.services.ports import AgentService, Dispatch, Dispatcher


class WatchedDispatcher:
    """Implements ``ports.Dispatcher``."""

    def __init__(self, dispatcher: Dispatcher, registry: Registry) -> None:
        """Watch a dispatcher."""
        self._dispatcher = dispatcher
        self._registry = registry

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Send segments; False if not all of them could be sent."""
        was_sent = self._dispatcher.dispatch(dispatches)
        if dispatches:
            self._registry.count(PUBLISHES, "sent" if was_sent else "failed")
        return was_sent


class WatchedAgents:
    """Implements ``ports.AgentService``."""

    def __init__(self, agents: AgentService, registry: Registry,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """Watch the service.

        Args:
            monotonic: seconds from a clock that is never set.
        """
        self._agents = agents
        self._registry = registry
        self._monotonic = monotonic

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        return self._agents.agents()

    def run(self, call: AgentCall) -> AgentAnswer:
        """Let an agent do a block."""
        since_s = self._monotonic()
        answer = self._agents.run(call)
        outcome = answer.failure_class.value if isinstance(answer, Failure) else type(answer).__name__.lower()
        self._registry.observe(AGENT_CALLS, self._monotonic() - since_s, outcome)
        return answer

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of a call that was accepted."""
        return self._agents.result(agent_id, idempotency_key)

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call."""
        return self._agents.stop(agent_id, idempotency_key)
