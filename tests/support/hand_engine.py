"""The engine with its work, its sweeps and its time moved by a test, on whatever stores the test gives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from workflow_service.domain.commands import ApprovalFilter, RespondToApproval, RunBlock, StartExecution
from workflow_service.domain.execution import OPERATOR_HOLD
from workflow_service.domain.invariants import Effect, Record
from workflow_service.domain.plan import Line
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.users import User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.integrations.memory.state import InMemoryStateService
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.events import EventsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.signals import SignalsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.permits import PermitsInMongo
from workflow_service.repositories.mongo.signals import SignalsInMongo
from workflow_service.repositories.mongo.standing_holds import StandingHoldsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.plans import Plans
from workflow_service.services.ports import CheckpointRepository, Dispatch, EventRepository, TemplateRepository
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_TIMINGS = Timings()
_MOST_ROUNDS = 60
"""Of repair, after which an execution that has not ended is stuck."""


@dataclass(frozen=True, kw_only=True)
class Repositories:
    """Everything that is kept."""

    stores: Stores
    templates: TemplateRepository
    events: EventRepository
    checkpoints: CheckpointRepository


def in_memory(clock: VirtualClock) -> Repositories:
    """Return empty repositories in memory."""
    return Repositories(
        stores=Stores(executions=ExecutionsInMemory(), blocks=BlocksInMemory(), waits=WaitsInMemory(),
                      approvals=ApprovalsInMemory(), signals=SignalsInMemory(),
                      holds=StandingHoldsInMemory(), permits=PermitsInMemory()),
        templates=TemplatesInMemory(), events=EventsInMemory(), checkpoints=CheckpointsInMemory(clock))


def in_mongo(store: Store, clock: VirtualClock) -> Repositories:
    """Return the repositories of a database."""
    return Repositories(
        stores=Stores(executions=ExecutionsInMongo(store), blocks=BlocksInMongo(store), waits=WaitsInMongo(store),
                      approvals=ApprovalsInMongo(store), signals=SignalsInMongo(store),
                      holds=StandingHoldsInMongo(store), permits=PermitsInMongo(store)),
        templates=TemplatesInMongo(store), events=EventsInMongo(store), checkpoints=CheckpointsInMongo(store, clock))


class HandEngine:
    """One process and one user, an administrator."""

    def __init__(self, kept: Repositories, agents: InMemoryAgentService, clock: VirtualClock, user: User) -> None:
        """Build the engine; nothing happens by itself."""
        self.kept = kept
        self.agents = agents
        self.user = user
        self._clock = clock
        self._plans = Plans(kept.templates, RetryPolicy())
        self._sent: deque[RunBlock] = deque()
        self.engine = self._build()

    def start(self, template_id: str) -> str:
        """Start an execution of the latest version of a template and return its id."""
        command = StartExecution(template_id=template_id, workspace_id=self.user.workspace_id)
        return self.engine.executions.start(self.user, command).execution_id

    def work(self) -> None:
        """Do everything that was sent."""
        while self._sent:
            self.engine.blocks.run(self._sent.popleft())
        self.engine.finisher.flush()

    def sweep(self) -> None:
        """Repair everything that is due."""
        sweeps = self.engine.sweeps
        for sweep in (sweeps.sweep_blocks, sweeps.sweep_executions, sweeps.sweep_waits, sweeps.sweep_approvals,
                      sweeps.sweep_checkpoints):
            sweep()
            self.engine.finisher.flush()

    def approve_all(self) -> None:
        """Say yes to whatever a person is asked in executions that go on."""
        for approval in self.engine.approvals.pending(self.user, ApprovalFilter(limit=1000)):
            execution = self.kept.stores.executions.get(self.user.workspace_id, approval.execution_id)
            if execution is not None and execution.may_start_blocks:
                self.engine.approvals.respond(self.user, RespondToApproval(
                    approval_id=approval.approval_id, approved=True))

    def resume_all(self, execution_ids: Sequence[str]) -> None:
        """Resume what is paused."""
        for execution_id in execution_ids:
            execution = self.kept.stores.executions.get(self.user.workspace_id, execution_id)
            if execution is not None and OPERATOR_HOLD in execution.holds:
                self.engine.holds.resume(self.user, execution_id)

    def bring_to_rest(self, is_done: Callable[[], bool], *, answers: bool = True) -> None:
        """Work and repair, lease by lease, until a look says that it is done, and then once more.

        Args:
            answers: whether people say yes to whatever they are asked meanwhile.

        Raises:
            AssertionError: it takes for ever.
        """
        for _ in range(_MOST_ROUNDS):
            was_done = is_done()
            self.work()
            self.sweep()
            if answers:
                self.approve_all()
            self._clock.advance(_TIMINGS.lease + timedelta(milliseconds=1))
            if was_done and not self._sent:
                return
        raise AssertionError(f"not at rest after {_MOST_ROUNDS} rounds")

    def statuses(self, execution_ids: Sequence[str]) -> dict[str, ExecutionStatus]:
        """Return how executions stand."""
        found = [self.kept.stores.executions.get(self.user.workspace_id, name) for name in execution_ids]
        return {execution.execution_id: execution.status for execution in found if execution is not None}

    def record(self, execution_id: str, effects: Sequence[Effect] = ()) -> Record:
        """Return all that is stored of an execution.

        Args:
            effects: what agents did before.
        """
        workspace_id, stores = self.user.workspace_id, self.kept.stores
        execution = stores.executions.get(workspace_id, execution_id)
        assert execution is not None
        plan = self._plans.of(execution)
        done = [Effect(key=one.idempotency_key, started=execution.created_at, ended=execution.created_at)
                for one in self.agents.effects if one.execution_id == execution_id]
        return Record(
            plan=plan, execution=execution, blocks=stores.blocks.get_all(workspace_id, execution_id, tuple(plan.nodes)),
            waits=stores.waits.of_execution(workspace_id, execution_id),
            approvals=stores.approvals.of_execution(workspace_id, execution_id),
            history=self.kept.events.of_execution(workspace_id, execution_id), effects=[*effects, *done])

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Keep the first block of each line until somebody works; what follows it the engine sends by itself."""
        for sent in dispatches:
            lines = [sent.segment] if isinstance(sent.segment, Line) else sent.segment.lines
            self._sent += [RunBlock(workspace_id=sent.workspace_id, execution_id=sent.execution_id,
                                    block_id=line.first, epoch=sent.epoch) for line in lines]
        return True

    def _build(self) -> Engine:
        numbers = count(1)
        return build_engine(Ports(
            stores=self.kept.stores, templates=self.kept.templates, events=self.kept.events,
            checkpoints=self.kept.checkpoints, agents=self.agents, state=InMemoryStateService(self._clock.now),
            dispatcher=self, rates=CallRatesInMemory(), clock=self._clock,
            monotonic=lambda: self._clock.now().timestamp(), draw=lambda: 0.5,
            new_id=lambda: f"run-{next(numbers)}", owner="test"), _TIMINGS)
