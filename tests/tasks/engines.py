"""A worker's engine in memory, whose stores tell what they are asked, or do not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from workflow_service.domain.errors import Unavailable
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.integrations.memory.state import InMemoryStateService
from workflow_service.metrics.registry import Registry
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
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.ports import Dispatch
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


@dataclass(kw_only=True)
class Watched:
    """A port before which somebody stands: every call is noted, and answered only if it is there."""

    port: object
    name: str
    asked: list[str]
    away: bool

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a method that notes its call."""
        def call(*args: Any, **kwargs: Any) -> Any:
            self.asked.append(f"{self.name}.{method}")
            if self.away:
                raise Unavailable(self.name)
            return getattr(self.port, method)(*args, **kwargs)
        return call


@dataclass(kw_only=True)
class WorkerInMemory:
    """Stands in for the process of a worker."""

    away: bool = False
    """Whether nothing answers."""
    asked: list[str] = field(default_factory=list)
    """What was asked of the ports, as ``blocks.due``."""
    metrics: Registry = field(default_factory=lambda: Registry({}))

    def application(self) -> Any:
        """Return an application that has an engine and metrics, and nothing else."""
        return SimpleNamespace(engine=self._engine(), metrics=self.metrics)

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Send nothing."""
        return True

    def _engine(self) -> Engine:
        clock = SystemClock()
        stores = Stores(executions=self._watched(ExecutionsInMemory(), "executions"),
                        blocks=self._watched(BlocksInMemory(), "blocks"), waits=self._watched(WaitsInMemory(), "waits"),
                        approvals=self._watched(ApprovalsInMemory(), "approvals"), signals=SignalsInMemory(),
                        holds=StandingHoldsInMemory(), permits=PermitsInMemory())
        ports = Ports(
            stores=stores, templates=TemplatesInMemory(), events=EventsInMemory(),
            checkpoints=self._watched(CheckpointsInMemory(clock), "checkpoints"), agents=InMemoryAgentService([]),
            state=self._watched(InMemoryStateService(), "state"), dispatcher=self, rates=CallRatesInMemory(),
            clock=clock, monotonic=lambda: 0.0,
            draw=lambda: 0.5, new_id=lambda: "run", owner="test")
        return build_engine(ports, Timings())

    def _watched(self, port: object, name: str) -> Any:
        return cast(Any, Watched(port=port, name=name, asked=self.asked, away=self.away))
