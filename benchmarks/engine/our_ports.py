"""What a measurement changes in the service's ports: who does the work of a block, and who hears of an end."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from benchmarks.engine import addresses
from benchmarks.engine.counting import Counted, CountedPort
from benchmarks.engine.driving import Ends
from benchmarks.engine.template import AGENT_ID, TELL
from benchmarks.engine.workloads import step_result
from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Completed
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.integrations.memory.state import InMemoryStateService
from workflow_service.services.engine import Ports
from workflow_service.services.ports import ExecutionRepository, Key

_SCHEMA = {"type": "object", "properties": {"step": {"type": "integer"}, "given": {"type": "string"}}}
_AGENT_CALLS = frozenset({"run", "result", "stop"})
_STATE_CALLS = frozenset({"put_play", "checkpoint", "put_recovery_point", "recovery_points", "context", "changes"})


class NoWork:
    """Implements ``ports.AgentService``: an agent in this process that has nothing to do."""

    def __init__(self, ends: Ends) -> None:
        """Tell here when a step ran, if it is asked to."""
        self._ends = ends
        self._registry = (Agent(agent_id=AGENT_ID, name="Nothing to do", type="echo", tool_types=("script",),
                                input_schema=_SCHEMA),)

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        return self._registry

    def run(self, call: AgentCall) -> AgentAnswer:
        """Be done."""
        if TELL in call.input:
            self._ends.tell(addresses.BEGAN, repr(time.time()))
        return Completed(output=step_result(int(call.input["step"])))

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Nothing is ever accepted for later."""
        raise NotImplementedError

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """There is nothing to stop."""
        return True


class TellingExecutions:
    """Implements ``ports.ExecutionRepository`` by another one; ends and rests are told as soon as they are stored."""

    def __init__(self, executions: ExecutionRepository, ends: Ends) -> None:
        """Stand before a repository."""
        self._executions = executions
        self._ends = ends

    def __getattr__(self, method: str) -> Any:
        """Return a method of the repository."""
        return getattr(self._executions, method)

    def change(self, before: Execution, after: Execution) -> bool:
        """Store a change."""
        was_stored = self._executions.change(before, after)
        if was_stored and after.status.is_terminal:
            self._ends.tell(addresses.ENDED, after.status.value)
        elif was_stored and after.status is ExecutionStatus.WAITING:
            self._ends.tell(addresses.PARKED, after.execution_id)
        return was_stored

    def due(self, at: datetime, limit: int) -> Sequence[Key]:
        """Return what the sweep must look at."""
        return self._executions.due(at, limit)


def adapted(ports: Ports, ends: Ends, counted: Counted | None) -> Ports:
    """Return the ports of a worker or a driver, as the environment wants them."""
    executions = cast(ExecutionRepository, TellingExecutions(ports.stores.executions, ends))
    over_http = os.environ.get(addresses.AGENT) in ("http", "slow")
    agents: Any = ports.agents if over_http else NoWork(ends)
    state: Any = InMemoryStateService() if os.environ.get(addresses.STATE) == "memory" else ports.state
    if counted is not None and over_http:
        agents = CountedPort(agents, "agents", counted, _AGENT_CALLS)
    if counted is not None and state is ports.state:
        state = CountedPort(state, "state", counted, _STATE_CALLS)
    return replace(ports, stores=replace(ports.stores, executions=executions), agents=agents, state=state)
