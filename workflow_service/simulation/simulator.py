"""The simulator: the engine on stores in memory, its messages delivered at once, its time moved from due to due."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from workflow_service.domain.agents import Agent
from workflow_service.domain.commands import RunBlock, StartExecution
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Line
from workflow_service.domain.template import Block, RetryPolicy
from workflow_service.domain.users import ADMIN, User
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.ports import Dispatch, StoredTemplate
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.simulation.agenda import Action, Agenda
from workflow_service.simulation.agents import SimulatedAgents
from workflow_service.simulation.directives import Directives
from workflow_service.simulation.dues import Calendar
from workflow_service.simulation.limits import CutShort, Limits
from workflow_service.simulation.people import People
from workflow_service.simulation.recording import (
    NoHistory,
    RecordedApprovals,
    RecordedBlocks,
    RecordedExecutions,
    RecordedSignals,
    RecordedWaits,
)
from workflow_service.simulation.script import Script
from workflow_service.simulation.state import SimulatedState
from workflow_service.simulation.templates import TemplatesToTry
from workflow_service.simulation.turns import Turns

_MOST_REPAIRS = 20
"""Looks in a row at what may have been lost, after which nothing more will happen by itself."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is simulated."""

    template: StoredTemplate
    templates: TemplatesToTry
    """That template and those that it may run as sub-workflows."""
    blocks: Sequence[Block]
    """Of all of these."""
    agents: Sequence[Agent]
    directives: Directives
    timings: Timings = Timings()
    usual: RetryPolicy = RetryPolicy()
    limits: Limits = Limits()


class Simulator:
    """One simulation, from its start to the moment when nothing more happens by itself."""

    def __init__(self, scene: Scene, real_time: Callable[[], float] = time.monotonic) -> None:
        """Build the engine; nothing happens yet.

        Args:
            real_time: seconds from a clock that is never set.
        """
        self._scene = scene
        self._real_time = real_time
        self.clock = VirtualClock(scene.directives.start)
        self.user = User(name="simulation", role=ADMIN, workspace_id=scene.template.workspace_id)
        self.calendar = Calendar(executions=RecordedExecutions(), blocks=RecordedBlocks(), waits=RecordedWaits(),
                                 approvals=RecordedApprovals())
        self._signals = RecordedSignals()
        self.events: list[Event] = []
        """What has happened, in order."""
        self._agenda = Agenda()
        self._turns = Turns(scene.limits.workers)
        self._sent: deque[RunBlock] = deque()
        self._repairs = 0
        self._ends_at_s = 0.0
        self.people = People(self.user, scene.directives.decide, self._agenda)
        self.agents = SimulatedAgents(
            scene.agents, Script(scene.directives, {agent.agent_id: agent for agent in scene.agents}, scene.blocks),
            scene.timings.agent_patience, self.clock, self._agenda, self._turns)
        self.engine = self._build()
        self.people.use(self.engine.approvals)
        for told in (self.calendar.executions, self.calendar.blocks, self.calendar.waits, self.calendar.approvals,
                     self._signals):
            told.tell(self.events.append, self.people.notice)

    @property
    def execution(self) -> Execution:
        """The execution that is simulated, as it is now."""
        return self.calendar.executions.everything()[0]

    @property
    def repeated(self) -> frozenset[str]:
        """The blocks whose work may be done several times, as parts of their own."""
        return frozenset(block.block_id for block in self._scene.blocks
                         if block.map is not None or block.loop is not None)

    @property
    def output(self) -> Mapping[str, Any] | None:
        """What the execution gives; None if it did not complete."""
        output: Mapping[str, Any] | None = self.engine.executions.get(self.user, self.execution.execution_id)["output"]
        return output

    def run(self) -> None:
        """Simulate.

        Raises:
            UnfitInput: the input does not fit the template's schema.
            CutShort: a limit was reached; what happened until then is there to see.
        """
        document = self._scene.template.document
        try:
            execution = self.engine.executions.start(self.user, StartExecution(
                template_id=document["templateId"], version=document["version"], workspace_id=self.user.workspace_id,
                input=self._scene.directives.input))
            self.people.send(self.engine.signals, execution.execution_id, self._scene.directives.signals,
                             self._scene.directives.start)
            self._play()
        finally:
            self._turns.dismiss()

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Keep the first block of each line until a worker is free; what follows it the engine sends by itself."""
        for sent in dispatches:
            lines = [sent.segment] if isinstance(sent.segment, Line) else sent.segment.lines
            self._sent += [RunBlock(workspace_id=sent.workspace_id, execution_id=sent.execution_id,
                                    block_id=line.first, epoch=sent.epoch) for line in lines]
        return True

    def _play(self) -> None:
        self._ends_at_s = self._real_time() + self._scene.limits.real_time.total_seconds()
        self._do_all()
        while (at := self._next_instant()) is not None:
            self.clock.set(at)
            self.engine.leases.extend_all()  # no worker was lost meanwhile
            self._do_all()
            self._sweep()
            self._do_all()

    def _do_all(self) -> None:
        """Do everything that happens at this instant."""
        self.engine.finisher.flush()
        while (step := self._next_step()) is not None:
            step()
            self.engine.finisher.flush()
            self._check_limits()

    def _next_step(self) -> Action | None:
        """Return what happens next at this instant; None if nothing does."""
        if self._sent and self._turns.has_idle:
            self._repairs = 0
            return partial(self._turns.begin, partial(self.engine.blocks.run, self._sent.popleft()))
        return self._agenda.take(self.clock.now())

    def _next_instant(self) -> datetime | None:
        """Return to when time jumps; None if nothing more will happen by itself."""
        if self.execution.status.is_terminal:
            return None
        now, dues = self.clock.now(), self.calendar.dues(self._agenda.next_instant)
        at = dues.next_certain(now, self._scene.timings.lease)
        if at is not None:
            return at
        self._repairs += 1
        return dues.next_repair(now) if self._repairs <= _MOST_REPAIRS else None

    def _sweep(self) -> None:
        sweeps = self.engine.sweeps
        for sweep in (sweeps.sweep_blocks, sweeps.sweep_executions, sweeps.sweep_waits, sweeps.sweep_approvals):
            sweep()
            self.engine.finisher.flush()
        self._check_limits()

    def _check_limits(self) -> None:
        limits = self._scene.limits
        if self._real_time() > self._ends_at_s:
            raise CutShort(f"It took more than {limits.real_time / timedelta(seconds=1):g} s to simulate.")
        if len(self.events) > limits.events:
            raise CutShort(f"More than {limits.events:,} events happened.")
        if self.clock.now() - self._scene.directives.start > limits.virtual_time:
            raise CutShort(f"It would go on for more than {limits.virtual_time.days:,} days.")

    def _build(self) -> Engine:
        stores = Stores(executions=self.calendar.executions, blocks=self.calendar.blocks, waits=self.calendar.waits,
                        approvals=self.calendar.approvals, signals=self._signals, holds=StandingHoldsInMemory(),
                        permits=PermitsInMemory())
        numbers = count(1)
        return build_engine(Ports(
            stores=stores, templates=self._scene.templates, events=NoHistory(),
            checkpoints=CheckpointsInMemory(self.clock), agents=self.agents,
            state=SimulatedState(self._scene.directives.context), dispatcher=self, rates=CallRatesInMemory(),
            clock=self.clock,
            monotonic=lambda: self.clock.now().timestamp(), draw=Random(0).random,
            new_id=lambda: f"simulated-{next(numbers)}", owner="simulation"),
            self._scene.timings, self._scene.usual)
