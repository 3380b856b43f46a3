"""What each call of an agent comes to, by the directives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from workflow_service.domain.agents import Agent, AgentCall, Completed, Failure
from workflow_service.domain.template import Block
from workflow_service.simulation.directives import AGENT, Directives, Mock
from workflow_service.simulation.samples import sample

_USUAL = timedelta(seconds=1)
"""How long a call takes of which nobody says it."""
FAILURE_CODE = "simulated_failure"

Part = tuple[Completed | Failure, timedelta]
"""An answer, and how long it takes."""


class Script:
    """Answers calls, one after the other."""

    def __init__(self, directives: Directives, agents: Mapping[str, Agent], blocks: Iterable[Block]) -> None:
        """Answer as told, for these agents and blocks."""
        self._directives = directives
        self._agents = agents
        self._blocks: dict[str, list[Block]] = {}
        for block in blocks:
            self._blocks.setdefault(block.block_id, []).append(block)
        self._told: Counter[tuple[str, str]] = Counter()
        """(directive, name) -> calls that it has answered."""

    def answer(self, call: AgentCall) -> Part:
        """Return what the next call comes to; a call that fails uses up no mock."""
        failure = self._failure(call)
        mock = self._mock(call, moves_on=failure is None)
        takes = self._duration(call) if mock.duration is None else mock.duration
        return failure or Completed(output=self._output(call, mock)), takes

    def time_out(self, call: AgentCall) -> timedelta | None:
        """Return the time-out of the block that a call is for; None if it says none."""
        return next((block.timeout for block in self._called_for(call) if block.timeout is not None), None)

    def _failure(self, call: AgentCall) -> Failure | None:
        name = self._name(self._directives.fail, call)
        if name is None:
            return None
        fault = self._directives.fail[name]
        self._told["fail", name] += 1
        if fault.times is not None and self._told["fail", name] > fault.times:
            return None
        return Failure(code=FAILURE_CODE, failure_class=fault.failure_class, message=f"'{name}' was told to fail")

    def _mock(self, call: AgentCall, *, moves_on: bool) -> Mock:
        name = self._name(self._directives.mocks, call)
        if name is None:
            return Mock()
        mocks, told = self._directives.mocks[name], self._told["mocks", name]
        self._told["mocks", name] += moves_on
        return mocks[min(told, len(mocks) - 1)]

    def _name(self, directive: Mapping[str, Any], call: AgentCall) -> str | None:
        """Return the name by which a directive means a call; None if it does not. A block's counts before an agent's.
        """
        names = [call.block_id, AGENT + call.agent_id]
        if call.agent_id not in self._blocks:
            names.append(call.agent_id)
        return next((name for name in names if name in directive), None)

    def _output(self, call: AgentCall, mock: Mock) -> Mapping[str, Any]:
        if mock.output is not None:
            return mock.output
        agent = self._agents.get(call.agent_id)
        made = sample(agent.output_schema) if agent is not None else None
        return made if isinstance(made, Mapping) and made else call.input

    def _duration(self, call: AgentCall) -> timedelta:
        guesses = (block.estimated_duration for block in self._called_for(call))
        return next((guess for guess in guesses if guess is not None), _USUAL)

    def _called_for(self, call: AgentCall) -> Iterator[Block]:
        """Yield the blocks that a call may be for; more than one if several templates have the name."""
        return (block for block in self._blocks.get(call.block_id, ()) if block.agent_id == call.agent_id)
