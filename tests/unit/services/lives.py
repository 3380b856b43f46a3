"""A service on stores in memory that a test leads by hand: its workers, its agents, its clock, its sweeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.support.builders import a_block_document, a_template_document, an_agent
from workflow_service.domain.agents import Accepted, Failure, FailureClass
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import (
    PauseExecution,
    RespondToApproval,
    RunBlock,
    SendSignal,
    StartExecution,
)
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.invariants import Effect, Record, retired_names, violations
from workflow_service.domain.limits import AgentLimits
from workflow_service.domain.plan import Line
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.users import User
from workflow_service.domain.wait import Wait
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.rates import CallRatesInMemory
from workflow_service.integrations.memory.state import InMemoryStateService
from workflow_service.integrations.memory.work import InMemoryAgent, Outcome
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
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Dispatch, StoredTemplate
from workflow_service.services.signals import Sent
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

WORKSPACE = "acme"
OPERATOR = User(name="olga", role="admin", workspace_id=WORKSPACE)
STRANGER = User(name="sven", role="admin", workspace_id="other")
ROOT = User(name="root", role="admin", workspace_id="default")
"""An admin of the workspace whose admins may hold the whole service."""
AGENTS = ("echo", "other")
TIMINGS = Timings(lease=timedelta(seconds=30), execution_timeout=timedelta(days=365), agent_patience=timedelta(hours=2))
LEASE = TIMINGS.lease
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
S, B = ExecutionStatus, BlockStatus
BUSY = Failure(code="busy", failure_class=FailureClass.TRANSIENT, message="Try later.")
BROKEN = Failure(code="broken", failure_class=FailureClass.AGENT, message="No use.")
ACCEPTED = Accepted(ask_again_after=timedelta(seconds=5))
_MILLISECOND = timedelta(milliseconds=1)
_MOST_ROUNDS = 60


def block(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block whose agent knows it by its input."""
    return a_block_document(block_id, *after, **{"retryPolicy": {"maxRetries": 2, "backoffStrategy": "fixed",
                                                                 "initialDelay": 600_000, "maxDelay": 600_000}, **more})


def gate(block_id: str, *after: str, **more: Any) -> dict[str, Any]:
    """Return a block before which a person is asked, who has an hour."""
    return block(block_id, *after, humanInLoop={"required": True, "approvalLevel": "approver", "timeout": 3_600_000},
                 **more)


def either(left: str, right: str, *, default: bool = True) -> dict[str, Any]:
    """Return the conditions of a block that chooses one of two by its output."""
    second: dict[str, Any] = {"default": True} if default else {"condition": "output.way == 'right'"}
    return {"type": "exclusive", "branches": [{"condition": "output.way == 'left'", "nextBlocks": [left]},
                                              {**second, "nextBlocks": [right]}]}


class TickingClock(VirtualClock):
    """A clock on which a millisecond passes with each look."""

    def now(self) -> datetime:
        """Return the present instant, which is like no other."""
        return self.advance(_MILLISECOND)


@dataclass(kw_only=True)
class Agents:
    """What the agents do: complete at once, and go left, unless something else was planned for the block."""

    clock: VirtualClock
    service: InMemoryAgentService = field(init=False)
    planned: dict[str, deque[Outcome | Callable[[], Outcome]]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Register the agents."""
        self.service = InMemoryAgentService([InMemoryAgent(agent=an_agent(name), work=self._work) for name in AGENTS])

    def plan(self, block_id: str, *outcomes: Outcome | Callable[[], Outcome]) -> None:
        """Let the next calls of a block come to this; what is callable is called while the agent is at work."""
        self.planned.setdefault(block_id, deque()).extend(outcomes)

    def called(self, block_id: str) -> int:
        """Return how often a block's agent was called."""
        return sum(one.block_id == block_id for one in self.service.effects)

    def _work(self, given: Mapping[str, Any]) -> Outcome:
        key, since = self.service.effects[-1].idempotency_key, self.clock.now()
        waiting = self.planned.get(str(given["value"]))
        outcome = waiting.popleft() if waiting else {"value": given["value"], "way": "left"}
        come_to = outcome() if callable(outcome) else outcome
        if not isinstance(come_to, Failure):
            self.effects.append(Effect(key=key, started=since, ended=self.clock.now()))
        return come_to


class Died(BaseException):
    """Raised in the middle of what a process does: it is no more."""


class _Mortal:
    """A port through which a process makes calls, until it dies before one of them."""

    def __init__(self, port: object, calls: Iterator[int], last: int) -> None:
        """Pass calls on to a port.

        Args:
            calls: counts the calls of the process.
            last: the number of the call that is not made any more.
        """
        self._port = port
        self._calls = calls
        self._last = last

    def __getattr__(self, name: str) -> Any:
        """Return a method of the port that is called only while the process lives."""
        method = getattr(self._port, name)

        def call(*args: Any, **named: Any) -> Any:
            if next(self._calls) >= self._last:
                raise Died
            return method(*args, **named)

        return call


class Life:
    """All that becomes of some executions."""

    def __init__(self, *blocks: Mapping[str, Any], agent_limits: AgentLimits = AgentLimits(), **settings: Any) -> None:
        """Store a template ``t`` of these blocks."""
        self._timings = replace(TIMINGS, agent_limits=agent_limits)
        self.clock = TickingClock()
        self.agents = Agents(clock=self.clock)
        self.state = InMemoryStateService(self.clock.now)
        self.executions, self.blocks = ExecutionsInMemory(), BlocksInMemory()
        self.waits, self.approvals = WaitsInMemory(), ApprovalsInMemory()
        self.holds, self.permits = StandingHoldsInMemory(), PermitsInMemory()
        self.signals, self.rates = SignalsInMemory(), CallRatesInMemory()
        self.templates, self.events = TemplatesInMemory(), EventsInMemory()
        self.messages: deque[RunBlock] = deque()
        self._numbers = count(1)
        self._plans = Plans(self.templates, RetryPolicy())
        self.engine = self._engine()
        if blocks:
            self.store("t", *blocks, **settings)

    # ---- what somebody does

    def store(self, template_id: str, *blocks: Mapping[str, Any], workspace_id: str = WORKSPACE,
              **settings: Any) -> None:
        """Store a template."""
        now = self.clock.now()
        document = a_template_document(*blocks, templateId=template_id, **settings)
        assert self.templates.insert(StoredTemplate(workspace_id=workspace_id, document=document, created_by="ada",
                                                    created_at=now, updated_at=now))

    def redefine(self, version: str, latest: str, *blocks: Mapping[str, Any]) -> None:
        """Store a newer version of the template ``t``."""
        stored = self.templates.get(WORKSPACE, "t")
        assert stored is not None
        document = a_template_document(*blocks, version=version)
        assert self.templates.add_version(StoredTemplate(
            workspace_id=WORKSPACE, document=document, created_by="ada", created_at=stored.created_at,
            updated_at=self.clock.now()), latest)

    def dies(self, act: Callable[[], object], last: int) -> bool:
        """Let a process act that dies before its call of this number, from 1; False if it came to its end before."""
        lasting, calls = self.engine, count(1)
        self.engine = self._engine(lambda port: _Mortal(port, calls, last))
        try:
            act()
        except Died:
            return True
        finally:
            self.engine = lasting
        return False

    def set_limits(self, agent_limits: AgentLimits) -> None:
        """Let the service go on with other limits of agents."""
        self._timings = replace(self._timings, agent_limits=agent_limits)
        self.engine = self._engine()

    def start(self, template_id: str = "t", user: User = OPERATOR, **given: Any) -> str:
        """Start an execution."""
        return self.engine.executions.start(user, StartExecution(
            template_id=template_id, workspace_id=user.workspace_id, input=given)).execution_id

    def pause(self, run: str, **how: Any) -> Execution:
        """Let the operator pause an execution."""
        return self.engine.holds.pause(OPERATOR, PauseExecution(execution_id=run, **how))

    def answer(self, run: str, block_id: str, approved: bool = True) -> None:
        """Answer the pending request of a block."""
        (asked,) = [one for one in self.requests(run, block_id) if one.status is ApprovalStatus.PENDING]
        self.engine.approvals.respond(OPERATOR, RespondToApproval(approval_id=asked.approval_id, approved=approved))

    def send(self, run: str, name: str, key: str | None = None, **payload: Any) -> Sent:
        """Send a signal to an execution."""
        return self.engine.signals.send(OPERATOR, SendSignal(execution_id=run, name=name, payload=payload,
                                                             idempotency_key=key))

    def dispatch(self, dispatches: Sequence[Dispatch]) -> bool:
        """Keep the first block of each line; what follows it is dispatched by the engine."""
        for sent in dispatches:
            lines = [sent.segment] if isinstance(sent.segment, Line) else sent.segment.lines
            self.messages += [RunBlock(workspace_id=sent.workspace_id, execution_id=sent.execution_id,
                                       block_id=line.first, epoch=sent.epoch) for line in lines]
        return True

    def work(self) -> None:
        """Let a worker take all messages there are."""
        while self.messages:
            self.engine.blocks.run(self.messages.popleft())
        self.engine.finisher.flush()

    def sweep(self) -> None:
        """Let the sweep look at everything once, and what is not told be told."""
        for kind in ("executions", "blocks", "waits", "approvals", "checkpoints"):
            getattr(self.engine.sweeps, f"sweep_{kind}")()
        self.engine.finisher.flush()

    def pass_time(self, by: timedelta, *, at_once: bool = False) -> None:
        """Let time pass, and the sweep and the workers do their part, in steps of ten minutes.

        Args:
            at_once: in one step.
        """
        left, step = by, by if at_once else 10 * MINUTE
        while left > timedelta(0):
            self.clock.advance(min(left, step))
            left -= step
            self.sweep()
            self.work()

    def settle(self) -> None:
        """Let all be done that no person or agent has to do; nothing may be wrong then."""
        for _ in range(_MOST_ROUNDS):
            self.work()
            self.sweep()
            self.clock.advance(LEASE)
            if not self.messages and not any(self._is_on_its_way(run) for run in self.runs()):
                return self.is_right()
        raise AssertionError("it does not come to rest")

    # ---- what there is

    def runs(self) -> list[Execution]:
        """Return all executions."""
        return sorted(self.executions.everything(), key=lambda run: run.created_at)

    def children(self, run: str) -> list[Execution]:
        """Return the executions right below one, in the order of their places."""
        found = [one for one in self.runs() if one.parent is not None and one.parent.execution_id == run]
        return sorted(found, key=lambda one: one.parent.index if one.parent is not None else 0)

    def run(self, workspace_id: str, run: str) -> Execution:
        """Return one execution."""
        found = self.executions.get(workspace_id, run)
        assert found is not None
        return found

    def of(self, run: str) -> Execution:
        """Return an execution of the operator's workspace."""
        return self.run(WORKSPACE, run)

    def block(self, run: str, block_id: str) -> BlockExecution:
        """Return a block."""
        found = self.blocks.get(WORKSPACE, block_execution_id(run, block_id))
        assert found is not None
        return found

    def statuses(self, run: str) -> dict[str, str]:
        """Return how the blocks stand."""
        execution = self.of(run)
        names = tuple(self._plans.of(execution).nodes)
        return {name: status.value for name, status in sorted(self.blocks.statuses(WORKSPACE, run, names).items())}

    def requests(self, run: str, block_id: str) -> list[Approval]:
        """Return the approvals of a block, the oldest first."""
        return [one for one in self.approvals.of_execution(WORKSPACE, run) if one.block_id == block_id]

    def request(self, run: str, block_id: str) -> Approval:
        """Return the latest approval of a block."""
        return self.requests(run, block_id)[-1]

    def wait(self, run: str, block_id: str) -> Wait:
        """Return the latest wait of a block."""
        return max((one for one in self.waits.of_execution(WORKSPACE, run) if one.block_id == block_id),
                   key=lambda one: (one.epoch, one.revision))

    def documents(self) -> dict[str, Any]:
        """Return all that is stored, the history and the checkpoints included."""
        runs = self.runs()
        return {"runs": runs, "events": [self.events.of_execution(run.workspace_id, run.execution_id) for run in runs],
                "blocks": [self._blocks_of(run) for run in runs], "holds": self.holds.of_workspace(WORKSPACE),
                "waits": [self.waits.of_execution(run.workspace_id, run.execution_id) for run in runs],
                "approvals": [self.approvals.of_execution(run.workspace_id, run.execution_id) for run in runs],
                "signals": [self.signals.of_execution(run.workspace_id, run.execution_id) for run in runs],
                "calls": self.agents.service.effects, "messages": list(self.messages)}

    def record(self, run: str, workspace_id: str = WORKSPACE) -> Record:
        """Return all that is stored of an execution, and what its agents did."""
        execution = self.run(workspace_id, run)
        plan, history = self._plans.of(execution), self.events.of_execution(workspace_id, run)
        return Record(
            plan=plan, execution=execution, blocks=self.blocks.get_all(workspace_id, run, tuple(plan.nodes)),
            retired=self.blocks.get_all(workspace_id, run, retired_names(plan, history)),
            waits=self.waits.of_execution(workspace_id, run),
            approvals=self.approvals.of_execution(workspace_id, run),
            signals=self.signals.of_execution(workspace_id, run), history=history,
            effects=[one for one in self.agents.effects if one.key.split(":")[0] == run],
            checkpoints=self._checkpoints(execution, tuple(plan.nodes)))

    def ends(self, run: str, status: ExecutionStatus, **blocks: str) -> None:
        """Let all come to rest and see that the execution stands so, with these blocks, and nothing is wrong."""
        self.settle()
        assert self.of(run).status is status, (self.of(run), self.statuses(run))
        assert {name: self.statuses(run)[name] for name in blocks} == blocks
        self.is_right()

    def is_right(self) -> None:
        """See that nothing is wrong with any execution."""
        for run in self.runs():
            found = violations(self.record(run.execution_id, run.workspace_id))
            assert not found, "\n".join(f"{one.invariant} {one.subject}: {one.message}" for one in found)

    # ---- within

    def _engine(self, through: Callable[[Any], Any] = lambda port: port) -> Engine:
        stores = Stores(executions=through(self.executions), blocks=through(self.blocks), waits=through(self.waits),
                        approvals=through(self.approvals), signals=through(self.signals), holds=through(self.holds),
                        permits=through(self.permits))
        return build_engine(Ports(
            stores=stores, templates=self.templates, events=self.events, checkpoints=CheckpointsInMemory(self.clock),
            agents=through(self.agents.service), state=self.state, dispatcher=through(self),
            rates=through(self.rates), clock=self.clock,
            monotonic=lambda: self.clock.now().timestamp(), draw=lambda: 0.5,
            new_id=lambda: f"run-{next(self._numbers)}", owner="worker"), self._timings)

    def _blocks_of(self, run: Execution) -> list[BlockExecution]:
        names = tuple(self._plans.of(run).nodes)
        return sorted(self.blocks.get_all(run.workspace_id, run.execution_id, names), key=lambda one: one.block_id)

    def _checkpoints(self, execution: Execution, names: Sequence[str]) -> dict[str, Checkpoint]:
        told = {name: self.state.block(execution.workspace_id, execution.execution_id, name) for name in names}
        return {name: one for name, one in told.items() if one is not None}

    def _is_on_its_way(self, run: Execution) -> bool:
        """Say whether something is left to do that needs no other's hand, and not only when a time has come."""
        blocks = self._blocks_of(run)
        runs = any(one.status is B.RUNNING or one.status is B.READY and run.may_start(one.agent_id) for one in blocks)
        untold = any(one.status.is_terminal and one.due_at is not None for one in blocks)
        return (runs or untold or bool(run.outbox) or run.restart_targets is not None or bool(run.withdrawing)
                or run.status in (S.PENDING, S.PAUSING, S.CANCELLING))
