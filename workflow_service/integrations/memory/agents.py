"""An Agent Service in memory. It keeps the promises of the contract: each key's work is done at most once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from workflow_service.domain.agents import Accepted, Agent, AgentAnswer, AgentCall, Failure, FailureClass
from workflow_service.domain.errors import Unavailable
from workflow_service.integrations import json_text
from workflow_service.integrations.agent_answers import DEFAULT_PAUSE
from workflow_service.integrations.memory.work import InMemoryAgent, Outcome, answer_of, refusal

_UNREACHABLE = Failure(code="agent_service_unreachable", failure_class=FailureClass.TRANSIENT,
                       message="The Agent Service can't be reached.")
_CANCELLED = Failure(code="cancelled", failure_class=FailureClass.CRITICAL, message="The call was cancelled.")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One time that an agent's work began."""

    agent_id: str
    idempotency_key: str
    workspace_id: str
    execution_id: str
    block_id: str
    input: Mapping[str, Any]


@dataclass(kw_only=True)
class _Record:
    """What is remembered under a key of an agent."""

    request: tuple[Any, ...] = ()
    """What was asked; empty for a tombstone."""
    answer: AgentAnswer | None = None
    """None while the function runs, and for a tombstone."""
    is_cancelled: bool = False
    """It was stopped before it ended."""
    is_buried: bool = False
    """It failed and was stopped afterwards: the key is not free any more."""

    @property
    def is_free(self) -> bool:
        """True when new work may begin under the key."""
        return isinstance(self.answer, Failure) and not self.is_buried and not self.is_cancelled

    def answer_now(self) -> AgentAnswer:
        """Return what is to be said of the work at this moment."""
        if self.is_cancelled:
            return _CANCELLED
        return self.answer or Accepted(ask_again_after=DEFAULT_PAUSE)


class InMemoryAgentService:
    """Implements ``ports.AgentService``. A call's time-out is not enforced: a function takes the time that it takes."""

    def __init__(self, agents: Iterable[InMemoryAgent] = ()) -> None:
        """Take the agents."""
        self._lock = Lock()
        self._agents = {one.agent.agent_id: one for one in agents}
        self._records: dict[tuple[str, str], _Record] = {}
        self._effects: list[Effect] = []
        self._is_available = True
        self._answers_to_lose = 0

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every time that work began, in order."""
        with self._lock:
            return tuple(self._effects)

    def put_agent(self, agent: InMemoryAgent) -> None:
        """Add an agent, or replace the one with the same id; what was done before stays known."""
        with self._lock:
            self._agents[agent.agent.agent_id] = agent

    def set_available(self, is_available: bool) -> None:
        """Let the whole service be there or not; work that has begun goes on."""
        with self._lock:
            self._is_available = is_available

    def lose_answers(self, count: int) -> None:
        """Let the next answers to new work get lost on their way, after the work was done."""
        with self._lock:
            self._answers_to_lose = count

    def finish(self, agent_id: str, idempotency_key: str, outcome: Outcome) -> None:
        """End work that was accepted; work that was stopped meanwhile stays stopped.

        Raises:
            KeyError: there is no such work.
        """
        with self._lock:
            self._records[agent_id, idempotency_key].answer = answer_of(outcome)

    def agents(self) -> Sequence[Agent]:
        """Return the registry. Raises errors.Unavailable."""
        with self._lock:
            if not self._is_available:
                raise Unavailable("The Agent Service")
            return tuple(one.agent for one in self._agents.values())

    def run(self, call: AgentCall) -> AgentAnswer:
        """Let an agent do a block."""
        with self._lock:
            begun = self._begin(call)
        if not isinstance(begun, tuple):
            return begun
        agent, record = begun
        answer = agent.answer(record.request[-1])
        with self._lock:
            record.answer = answer
            if self._answers_to_lose:
                self._answers_to_lose -= 1
                return _UNREACHABLE
            return record.answer_now()

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Ask for the result of a call that was accepted. Raises Unavailable while nobody can tell."""
        with self._lock:
            if not self._is_available or agent_id not in self._agents:
                raise Unavailable("The Agent Service")
            record = self._records.get((agent_id, idempotency_key))
            return record.answer_now() if record else Failure(
                code="execution_lost", failure_class=FailureClass.TRANSIENT,
                message="The agent took the work and knows nothing of it any more.")

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop a call, or see to it that it never starts; what a function that runs comes to is dropped."""
        with self._lock:
            if not self._is_available:
                return False
            if agent_id not in self._agents:
                return True
            record = self._records.setdefault((agent_id, idempotency_key), _Record())
            if isinstance(record.answer, Failure):
                record.is_buried = True
            elif record.answer is None or isinstance(record.answer, Accepted):
                record.is_cancelled = True
            return True

    def _begin(self, call: AgentCall) -> tuple[InMemoryAgent, _Record] | AgentAnswer:
        """Take the key for new work, or return the answer that there is without it."""
        if not self._is_available:
            return _UNREACHABLE
        if call.agent_id not in self._agents:
            return _no_agent(call.agent_id)
        agent = self._agents[call.agent_id]
        try:
            given = json_text.decode(json_text.encode(call.input))
        except ValueError as error:
            return refusal("invalid_input", f"The input can't be sent: {error}.")
        fault = agent.fault(call.tool_type, given)
        return fault or self._take_key(agent, call, given)

    def _take_key(self, agent: InMemoryAgent, call: AgentCall,
                  given: Mapping[str, Any]) -> tuple[InMemoryAgent, _Record] | AgentAnswer:
        key = (call.agent_id, call.idempotency_key)
        request = (call.workspace_id, call.execution_id, call.block_id, call.tool_type, given)
        known = self._records.get(key)
        if known is not None and not known.is_free:
            return _known_answer(known, request)
        if agent.agent.status != "available":
            return Failure(code="agent_unavailable", failure_class=FailureClass.AGENT,
                           message=f"Agent '{call.agent_id}' is not available.")
        self._records[key] = _Record(request=request)
        self._effects.append(Effect(
            agent_id=call.agent_id, idempotency_key=call.idempotency_key, workspace_id=call.workspace_id,
            execution_id=call.execution_id, block_id=call.block_id, input=given))
        return agent, self._records[key]


def _known_answer(record: _Record, request: tuple[Any, ...]) -> AgentAnswer:
    if record.is_cancelled or record.is_buried:
        return _CANCELLED
    if record.request != request:
        return refusal("idempotency_conflict", "The key was used with another request.")
    return record.answer_now()


def _no_agent(agent_id: str) -> Failure:
    return Failure(code="agent_not_found", failure_class=FailureClass.AGENT, message=f"There is no agent '{agent_id}'.")
