"""Agents that are not there: each call is answered by the script, after a virtual while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, AgentCall
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent, Outcome
from workflow_service.services.ports import Clock
from workflow_service.simulation.agenda import Agenda
from workflow_service.simulation.script import Script
from workflow_service.simulation.turns import Turns, Worker


@dataclass(kw_only=True)
class _Sleep:
    """A call during which time passes."""

    key: tuple[str, str]
    worker: Worker | None = None


class SimulatedAgents:
    """Implements ``ports.AgentService``. A call that takes longer than its time-out is taken, and ended later alone."""

    def __init__(self, agents: Sequence[Agent], script: Script, patience: timedelta, clock: Clock, agenda: Agenda,
                 turns: Turns) -> None:
        """Answer for these agents; all of them are available.

        Args:
            patience: how long work that was taken is waited for, if its block does not say.
        """
        self._script = script
        self._patience = patience
        self._clock = clock
        self._agenda = agenda
        self._turns = turns
        self._sleeps: dict[tuple[str, str], _Sleep] = {}
        self._call: AgentCall | None = None
        """The one that begins right now."""
        self.calls: Counter[str] = Counter()
        """Agent id -> how often its work began."""
        self._service = InMemoryAgentService(
            InMemoryAgent(agent=replace(agent, status="available"), work=self._work) for agent in agents)

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        return self._service.agents()

    def run(self, call: AgentCall) -> AgentAnswer:
        """Answer when the work is done, and let other work go on meanwhile."""
        self._call = call
        return self._service.run(call)

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Return what came of a call that was taken."""
        return self._service.result(agent_id, idempotency_key)

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call now."""
        sleep = self._sleeps.get((agent_id, idempotency_key))
        if sleep is not None:
            self._agenda.note(self._clock.now(), partial(self._wake, sleep))
        return self._service.stop(agent_id, idempotency_key)

    def _work(self, given: Mapping[str, Any]) -> Outcome:
        call = self._call
        if call is None:
            raise RuntimeError("work begins with a call")
        self.calls[call.agent_id] += 1
        answer, takes = self._script.answer(call)
        key, ends_at = (call.agent_id, call.idempotency_key), self._clock.now() + takes
        if takes > call.timeout:
            self._agenda.note(ends_at, partial(self._service.finish, *key, answer))
            return Accepted(ask_again_after=min(takes, self._script.time_out(call) or self._patience))
        sleep = self._sleeps[key] = _Sleep(key=key)
        self._agenda.note(ends_at, partial(self._wake, sleep))
        self._turns.pause(partial(setattr, sleep, "worker"))
        return answer

    def _wake(self, sleep: _Sleep) -> None:
        """Let a call end, once."""
        if sleep.worker is not None and self._sleeps.get(sleep.key) is sleep:
            del self._sleeps[sleep.key]
            self._turns.go_on(sleep.worker)
