"""The real service on stores in memory, with agents that echo and a worker that a test moves by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from workflow_service.bootstrap import Application
from workflow_service.config import load_settings
from workflow_service.domain.agents import Agent, AgentAnswer, AgentCall, Completed
from workflow_service.domain.changes import StateChanges
from workflow_service.domain.commands import RunBlock
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Line
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import SystemClock
from workflow_service.repositories.memory.events import EventsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.signals import SignalsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.services.engine import Ports, build_engine
from workflow_service.services.health import Health
from workflow_service.services.ports import AgentService, Dispatch
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.simulation.simulations import Simulations

_ADDRESSES = {
    "MONGODB_URL": "mongodb://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0",
    "LLM_SERVICE_URL": "http://127.0.0.1:1", "AGENT_SERVICE_URL": "http://127.0.0.1:1",
    "STATE_SERVICE_URL": "http://127.0.0.1:1"}


class EchoAgents:
    """Two agents that answer with what they were given."""

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        return [Agent(agent_id=name, name=name, type="echo", tool_types=("use_case", "api"))
                for name in ("document-reader", "risk-rater")]

    def run(self, call: AgentCall) -> AgentAnswer:
        """Answer at once."""
        return Completed(output={"clauses": [7], "given": dict(call.input)})

    def result(self, agent_id: str, idempotency_key: str) -> AgentAnswer:
        """Nobody has to ask again."""
        raise AssertionError("every call was answered at once")

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Nothing runs."""
        return True


class ScriptedAgents(EchoAgents):
    """The same agents, but their next answers can be written down."""

    def __init__(self) -> None:
        """Echo until told otherwise."""
        self.answers: deque[AgentAnswer] = deque()
        self.stopped: list[str] = []
        """The idempotency keys of calls that were told to stop."""
        self.meanwhile: Callable[[], None] = _nothing
        """Happens while an agent is at work."""

    def run(self, call: AgentCall) -> AgentAnswer:
        """Give the next answer; echo if there is none."""
        self.meanwhile()
        return self.answers.popleft() if self.answers else super().run(call)

    def stop(self, agent_id: str, idempotency_key: str) -> bool:
        """Stop at once."""
        self.stopped.append(idempotency_key)
        return True


def _nothing() -> None:
    """Let nothing happen."""


class StateInMemory:
    """A State Management Service that keeps recovery points alone."""

    def __init__(self) -> None:
        """Start empty."""
        self.points: list[RecoveryPoint] = []

    def put_play(self, execution: Execution) -> None:
        """Take it."""

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Take them."""

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Keep it."""
        self.points.append(point)

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return those of an execution."""
        return [point for point in self.points if point.execution_id == execution_id]

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return nothing shared."""
        return {}

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return none."""
        return StateChanges(changes=(), next_cursor=after)


class HandWorker:
    """Keeps what is dispatched until a test lets it run."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: deque[RunBlock] = deque()

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Keep the first block of each line; what follows it is dispatched by the engine."""
        for sent in dispatches:
            lines = [sent.segment] if isinstance(sent.segment, Line) else sent.segment.lines
            self._waiting += [RunBlock(workspace_id=sent.workspace_id, execution_id=sent.execution_id,
                                       block_id=line.first, epoch=sent.epoch) for line in lines]
        return True

    def work(self, application: Application) -> None:
        """Run everything there is to run."""
        while self._waiting:
            application.engine.blocks.run(self._waiting.popleft())
        application.engine.finisher.flush()


def as_they_are(ports: Ports) -> Ports:
    """Return the ports."""
    return ports


def a_real_service(secret: str, worker: HandWorker, agents: AgentService | None = None,
                   rewire: Callable[[Ports], Ports] = as_they_are) -> Application:
    """Return an empty service.

    Args:
        agents: agents that echo, if none are given.
        rewire: changes the ports before the service is built on them.
    """
    settings = load_settings(_ADDRESSES)
    settings = replace(settings, security=replace(settings.security, jwt_secret=secret))
    clock, ids = SystemClock(), count(1)
    stores = Stores(executions=ExecutionsInMemory(), blocks=BlocksInMemory(), waits=WaitsInMemory(),
                    approvals=ApprovalsInMemory(), signals=SignalsInMemory(),
                    holds=StandingHoldsInMemory(), permits=PermitsInMemory())
    ports = Ports(
        stores=stores, templates=TemplatesInMemory(), events=EventsInMemory(), checkpoints=CheckpointsInMemory(clock),
        agents=agents or EchoAgents(), state=StateInMemory(), dispatcher=worker, rates=CallRatesInMemory(),
        clock=clock, monotonic=lambda: 0.0,
        draw=lambda: 0.5, new_id=lambda: f"run-{next(ids)}", owner="test")
    ports = rewire(ports)
    return Application(settings=settings, engine=build_engine(ports, Timings()), health=Health({}),
                       simulations=Simulations(ports.templates, ports.agents))
