"""A world of several processes on one set of stores: engines, messages, an agent, a clock, and what can go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast

from tests.support.protocol.agent import AgentOnStage
from tests.support.protocol.stage import Stage
from tests.support.protocol.state import StateInMemory
from tests.support.protocol.watched import Watched
from tests.support.protocol.witness import Witness
from workflow_service.domain.agents import AgentCall
from workflow_service.domain.commands import (
    LATEST,
    ApprovalFilter,
    CancelBlock,
    CancelExecution,
    CancelMode,
    ClockRule,
    HoldScope,
    PauseExecution,
    PlaceHold,
    RespondToApproval,
    RestartExecution,
    RetryBlock,
    RunBlock,
    SkipBlock,
    StartExecution,
)
from workflow_service.domain.errors import WorkflowServiceError
from workflow_service.domain.execution import Execution, is_standing
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.invariants import Effect, Record, violations
from workflow_service.domain.plan import Line, Plan
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.users import User
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.events import EventsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.services.engine import Engine, Ports, build_engine
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Dispatch, StoredTemplate
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

WORKSPACE = "w"
OPERATOR = User(name="olga", role="admin", workspace_id=WORKSPACE)
TIMINGS = Timings(lease=timedelta(seconds=30))
LEASE = TIMINGS.lease
SWEEPS = ("blocks", "executions", "waits", "approvals", "checkpoints")
_MILLISECOND = timedelta(milliseconds=1)
_LEAST_ROUNDS = 3
"""Of repair: what is held looks as if it were at rest, and may have been forgotten."""
_MOST_ROUNDS = 80
"""Of repair, after which an execution that has not come to rest is stuck."""


@dataclass(kw_only=True)
class Chord:
    """A message that comes when several others were worked off."""

    left: int
    body: RunBlock


@dataclass(kw_only=True)
class Message:
    """A hint on its way, with what the canvas brings after it."""

    command: RunBlock
    then: tuple[RunBlock, ...] = ()
    chord: Chord | None = None


@dataclass(kw_only=True)
class Process:
    """A process that may die."""

    name: str
    engine: Engine


@dataclass(kw_only=True)
class World:
    """Everything."""

    document: Mapping[str, Any]
    tick: timedelta = _MILLISECOND
    """What passes with each call."""
    input: Mapping[str, Any] = field(default_factory=dict)
    newer: Mapping[str, Any] | None = None
    """A later version of the template, stored while the execution has the first."""

    def __post_init__(self) -> None:
        """Build the stores and two processes."""
        self.stage = Stage()
        self.clock = VirtualClock()
        self.trace: list[str] = []
        self.messages: list[Message] = []
        self.agent = AgentOnStage(self.stage, self.clock, self.tell, self._before_work)
        self.state = StateInMemory()
        self.executions = ExecutionsInMemory()
        self.blocks = BlocksInMemory()
        self.waits = WaitsInMemory()
        self.approvals = ApprovalsInMemory()
        self.holds = StandingHoldsInMemory()
        self.events = EventsInMemory()
        self.checkpoints = CheckpointsInMemory(self.clock)
        self.templates = TemplatesInMemory()
        self.templates.insert(StoredTemplate(workspace_id=WORKSPACE, document=self.document, created_by="olga",
                                             created_at=self.clock.now(), updated_at=self.clock.now()))
        self._plans = Plans(self.templates, RetryPolicy())
        self.witness = Witness(self.executions, self.blocks, self.holds, self._plans.of, self.agent.works.keys,
                               WORKSPACE)
        self._numbers = count(1)
        self.processes = [self._process("p"), self._process("q")]

    # ---- what there is

    @property
    def plan(self) -> Plan:
        """The plan of the execution."""
        execution = self.execution
        version = self.document["version"] if execution is None else execution.template_version
        return self._plans.get(WORKSPACE, self.document["templateId"], version)

    @property
    def execution(self) -> Execution | None:
        """The execution; None before it was inserted."""
        return self.executions.get(WORKSPACE, "e")

    def block_status(self, name: str) -> BlockStatus | None:
        """Return how a block stands; None before it was inserted."""
        block = self.blocks.get(WORKSPACE, block_execution_id("e", name))
        return block.status if block is not None else None

    def tell(self, line: str) -> None:
        """Write down what happened, and let time pass."""
        self.trace.append(f"{self.clock.now():%H:%M:%S.%f}"[:-3] + f" {self.stage.speaker:<18} {line}")
        self.clock.advance(self.tick)

    # ---- who there may be

    def worker(self, process: Process, message: Message) -> None:
        """Let a worker take a message."""
        command = message.command

        def work() -> None:
            process.engine.blocks.run(command)

        self._enter(process, f"worker({command.block_id}:{command.epoch})", work, lambda: self._worked_off(message))

    def work(self, name: str, until: str | None = None, by: int = 0) -> None:
        """Let a worker take the message of a block and go on until it stands before a call; None for the end."""
        message = next(message for message in self.messages if message.command.block_id == name)
        self.messages.remove(message)
        process = self.processes[by]
        self.worker(process, message)
        self.stage.lead(f"{process.name}.worker({name}:{message.command.epoch}", until)

    def work_all(self) -> None:
        """Let one worker after the other take a message, until there are none."""
        for _ in range(100):
            if not self.messages:
                return
            self.work(self.messages[0].command.block_id)
        raise AssertionError("messages bring messages without end")

    def sweep(self, process: Process, kind: str) -> None:
        """Let a sweep of a kind begin."""
        self._enter(process, f"sweep({kind})", lambda: getattr(process.engine.sweeps, f"sweep_{kind}")())

    def flush(self, process: Process) -> None:
        """Let the finisher of a process begin, if it is not busy."""
        if not any(actor.process == process.name and ".flush" in actor.name for actor in self.stage.actors):
            self._enter(process, "flush", process.engine.finisher.flush)

    def flush_all(self) -> None:
        """Let the finishers of all processes do what has gathered."""
        for process in self.processes:
            self.flush(process)
            self.stage.lead_if_there(f"{process.name}.flush")

    def heartbeat(self, process: Process) -> None:
        """Let a process extend its leases."""
        self._enter(process, "heartbeat", process.engine.leases.extend_all)

    def start(self, process: Process) -> None:
        """Let somebody start the execution."""
        command = StartExecution(template_id=self.document["templateId"], workspace_id=WORKSPACE, input=self.input,
                                 version=self.document["version"])
        self._enter(process, "start", lambda: process.engine.executions.start(OPERATOR, command))

    def decide(self, process: Process, approval_id: str, approved: bool) -> None:
        """Let a person answer a request."""
        command = RespondToApproval(approval_id=approval_id, approved=approved)
        self._enter(process, f"decider({'yes' if approved else 'no'})",
                    lambda: process.engine.approvals.respond(OPERATOR, command))

    def follow(self, process: Process) -> None:
        """Let a process act on what agents wrote to the State Management Service."""
        self._enter(process, "follow", process.engine.state_changes.follow)

    def hand_back(self, process: Process) -> None:
        """Let a process that has to end give back what it works on."""
        self._enter(process, "hand back", process.engine.handing_back.hand_back_all)

    def release_template(self) -> None:
        """Let the author store the newer version."""
        assert self.newer is not None
        self.templates.add_version(StoredTemplate(workspace_id=WORKSPACE, document=self.newer, created_by="olga",
                                                  created_at=self.clock.now(), updated_at=self.clock.now()),
                                   latest=self.document["version"])

    def operate(self, process: Process, word: str, from_block: str = "") -> None:
        """Let an operator act; a word of ``acts`` says how."""
        engine = process.engine
        acts: Mapping[str, Callable[[], object]] = {
            "pause": lambda: engine.holds.pause(OPERATOR, PauseExecution(execution_id="e")),
            "resume": lambda: engine.holds.resume(OPERATOR, "e"),
            "cancel": lambda: engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id="e")),
            "force": lambda: engine.cancellation.cancel(OPERATOR, CancelExecution(
                execution_id="e", mode=CancelMode.FORCE)),
            "restart": lambda: engine.restarts.restart(OPERATOR, RestartExecution(
                execution_id="e", from_block=from_block)),
            "redo": lambda: engine.restarts.restart(OPERATOR, RestartExecution(execution_id="e", failed_only=True)),
            "again": lambda: engine.restarts.restart(OPERATOR, RestartExecution(execution_id="e", reset_state=True)),
            "latest": lambda: engine.restarts.restart(OPERATOR, RestartExecution(
                execution_id="e", definition=LATEST)),
            "skip": lambda: engine.interventions.skip(OPERATOR, SkipBlock(execution_id="e", block_id=from_block)),
            "drop": lambda: engine.withdrawals.cancel_block(OPERATOR, CancelBlock(
                execution_id="e", block_id=from_block)),
            "drop_region": lambda: engine.withdrawals.cancel_block(OPERATOR, CancelBlock(
                execution_id="e", block_id=from_block, region=True)),
            "retry": lambda: engine.interventions.retry(OPERATOR, RetryBlock(execution_id="e", block_id=from_block)),
            "hold": lambda: engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.WORKSPACE)),
            "hold_run": lambda: engine.standing_holds.place(OPERATOR, PlaceHold(
                scope=HoldScope.WORKSPACE, clock=ClockRule.RUN)),
            "hold_template": lambda: engine.standing_holds.place(OPERATOR, PlaceHold(
                scope=HoldScope.TEMPLATE, target=self.document["templateId"])),
            "hold_agent": lambda: engine.standing_holds.place(OPERATOR, PlaceHold(
                scope=HoldScope.AGENT, target="agent")),
            "lift": lambda: [engine.standing_holds.lift(OPERATOR, hold.hold_id)
                             for hold in engine.standing_holds.all(OPERATOR)]}
        self._enter(process, f"{word}({from_block})", lambda: self.witness.acknowledged(word, acts[word]()))

    def crash(self, process: Process) -> None:
        """Kill a process and put another in its place."""
        self.tell(f"process {process.name} DIES, with {[a.name + ' at ' + a.stands_at for a in self._actors(process)]}")
        self.stage.kill(process.name)
        self.processes[self.processes.index(process)] = self._process(process.name[0])

    def pass_time(self, by: timedelta) -> None:
        """Let time pass for everybody."""
        self.clock.advance(by)
        self.tell(f"{by} PASS")

    # ---- the end

    def run_all(self) -> None:
        """Let all actors that are there come to their ends, one call each in turn."""
        while self.stage.actors:
            for actor in list(self.stage.actors):
                if actor in self.stage.actors:
                    self.stage.step(actor)

    def settle_down(self, idle_rounds: int = 0) -> None:
        """Let everything that repairs do its work, with no faults, until nothing is left to do.

        Args:
            idle_rounds: for how many of the first rounds nobody answers requests, while time passes.
        """
        self.tell("---- no more faults")
        for process in self.processes:
            self.heartbeat(process)
        self.run_all()
        self.stage.shut()
        for number in range(_MOST_ROUNDS):
            if number >= idle_rounds:
                self.answer_all()
            else:
                self.pass_time(timedelta(minutes=1))
            self._round()
            if self._is_quiet() and number >= _LEAST_ROUNDS:
                return
            self._pass_to_next(timedelta(seconds=number))

    def answer_all(self) -> None:
        """Say yes to every pending request, as long as it makes sense."""
        if self.execution is None or self.execution.status.is_terminal:
            return
        for approval in self.processes[0].engine.approvals.pending(OPERATOR, ApprovalFilter()):
            self.decide(self.processes[0], approval.approval_id, True)

    def record(self) -> Record:
        """Return all that is stored of the execution, and what its agents did."""
        execution = self.execution
        assert execution is not None
        stored = [block for block in self.blocks._documents.values()]
        return Record(
            plan=self.plan, execution=execution, blocks=self.blocks.get_all(WORKSPACE, "e", tuple(self.plan.nodes)),
            retired=[block for block in stored if block.block_id not in self.plan.nodes],
            waits=list(self.waits._documents.values()), approvals=self.approvals.of_execution(WORKSPACE, "e"),
            history=self.events.of_execution(WORKSPACE, "e"),
            effects=[Effect(key=work.key, started=work.started, ended=work.ended) for work in self.agent.finished],
            checkpoints={name: told for (_, name), told in self.state.blocks.items()})

    def wrong(self) -> list[str]:
        """Return everything that is wrong now that all has settled down; empty if all is well."""
        execution = self.execution
        if execution is None:
            return []
        history = [entry.event for entry in self.events.of_execution(WORKSPACE, "e")]
        found = [*self.agent.faults, *self.witness.wrong(
            self.approvals.of_execution(WORKSPACE, "e"), history, self.plan.template.timeout)]
        found += [f"{one.invariant} {one.subject}: {one.message}" for one in violations(self.record())]
        if not execution.status.is_terminal and not self._is_held(execution):
            found.append(f"I1 the execution is {execution.status.value} and does not end")
        play = self.state.plays.get("e")
        told = play.status.value if play is not None else "unknown"
        if told != execution.status.value:
            found.append(f"I10 the play is {told}, the execution {execution.status.value}")
        return found

    def _round(self) -> None:
        while self.messages:
            self.worker(self.processes[0], self.messages.pop(0))
        self.flush_all()
        for kind in SWEEPS:
            self.sweep(self.processes[1], kind)
        self.flush_all()

    def _is_quiet(self) -> bool:
        execution = self.execution
        if execution is None:
            return True
        if self.messages or any(self._dues()):
            return False
        return execution.status.is_terminal or self._is_held(execution)

    def _is_held(self, execution: Execution) -> bool:
        """Say whether nothing can go on because of holds: it is paused, or all that is open is an agent's that is held.

        Holds that nobody wants any more do not count.
        """
        wanted = {hold.name for hold in self.holds.of_workspace(WORKSPACE)}
        if any(is_standing(name) and name not in wanted for name in execution.holds):
            return False
        if execution.status is ExecutionStatus.PAUSED:
            return True
        found = self.blocks.get_all(WORKSPACE, "e", tuple(self.plan.nodes))
        going = [block for block in found if block.status not in (BlockStatus.PENDING, BlockStatus.RETRY_WAIT)
                 and not block.status.is_terminal]
        return execution.restart_targets is None and not execution.is_held and bool(execution.holds) and all(
            block.status is BlockStatus.READY and not execution.may_start(block.agent_id) for block in going)

    def _dues(self) -> Iterator[datetime]:
        """Yield when the sweep wants to look at something; not far time-outs, nor blocks that a pause keeps waiting."""
        execution = self.execution
        if execution is None:
            return
        is_held = self._is_held(execution)
        if execution.due_at is not None and execution.due_at != execution.deadline and not is_held:
            yield execution.due_at
        for block in self.blocks.get_all(WORKSPACE, "e", tuple(self.plan.nodes)):
            waits = is_held and block.status in (BlockStatus.READY, BlockStatus.RETRY_WAIT)
            if block.due_at is not None and not waits:
                yield block.due_at
        for wait in self.waits._documents.values():
            if wait.due_at is not None:
                yield wait.due_at
        for approval in self.approvals._documents.values():
            if approval.due_at is not None and approval.due_at != approval.overdue_at:
                yield approval.due_at

    def _pass_to_next(self, least: timedelta) -> None:
        coming = min(self._dues(), default=self.clock.now() + LEASE)
        self.pass_time(max(coming - self.clock.now(), least) + _MILLISECOND)

    # ---- within

    def _process(self, letter: str) -> Process:
        name = f"{letter}{next(self._numbers)}"
        watch = self._watch
        ports = Ports(
            stores=Stores(executions=watch(self.executions, "executions"), blocks=watch(self.blocks, "blocks"),
                          waits=watch(self.waits, "waits"), approvals=watch(self.approvals, "approvals"),
                          holds=watch(self.holds, "holds")),
            templates=self.templates, events=watch(self.events, "events"),
            checkpoints=watch(self.checkpoints, "checkpoints"), agents=self.agent,
            state=watch(self.state, "state"), dispatcher=watch(self, "messages"), clock=self.clock,
            monotonic=lambda: self.clock.now().timestamp(),
            draw=lambda: 0.5, new_id=self._new_id, owner=name)
        return Process(name=name, engine=build_engine(ports, TIMINGS))

    def _new_id(self) -> str:
        """Return the id of the one execution, or of one more hold."""
        return "e" if ".start" in self.stage.speaker else f"h{next(self._numbers)}"

    def _watch(self, port: object, name: str) -> Any:
        return cast(Any, Watched(port, name, self.stage, self.tell, self.witness.sees))

    def dispatch(self, dispatches: list[Dispatch]) -> None:
        """Take segments as the broker does, in the way of ``tasks.canvas``."""
        for one in dispatches:
            if isinstance(one.segment, Line):
                self.messages.append(_line(one, one.segment, None, None))
                continue
            join = one.segment.join
            chord = None if join is None else Chord(left=len(one.segment.lines), body=_command(one, join.first, None))
            self.messages += [_line(one, line, join.first if join else None, chord) for line in one.segment.lines]

    def _worked_off(self, message: Message) -> None:
        """Bring what the canvas brings after a task that has returned."""
        if message.then:
            self.messages.append(Message(command=message.then[0], then=message.then[1:], chord=message.chord))
        elif message.chord is not None:
            message.chord.left -= 1
            if message.chord.left == 0:
                self.messages.append(Message(command=message.chord.body))

    def _enter(self, process: Process, name: str, body: Callable[[], object],
               after: Callable[[], None] = lambda: None) -> None:
        def guarded() -> None:
            try:
                body()
            except WorkflowServiceError as error:  # as the edges do: the caller is told, or the sweep goes on
                self.tell(f"{type(error).__name__}: {str(error)[:100]}")

        self.stage.enter(f"{process.name}.{name}#{next(self._numbers)}", process.name, guarded, after)

    def _actors(self, process: Process) -> list[Any]:
        return [actor for actor in self.stage.actors if actor.process == process.name]

    def _before_work(self, call: AgentCall) -> None:
        """See to it, at the moment when work begins, that it may."""
        self.witness.begins(self.stage.speaker, call)
        limit = self.plan.template.max_parallel_blocks
        running = {work.key for work in self.agent.works.values() if work.caller_waits and self._runs(work.key)}
        if limit is not None and len(running | {call.idempotency_key}) > limit:
            self.witness.faults.append(f"slots: {sorted(running)} run already when {call.idempotency_key} begins")

    def _runs(self, key: str) -> bool:
        identifier, epoch = key.rsplit(":", 1)
        block = self.blocks.get(WORKSPACE, identifier)
        return block is not None and block.status is BlockStatus.RUNNING and block.epoch == int(epoch)


def _line(one: Dispatch, line: Line, brought_last: str | None, chord: Chord | None) -> Message:
    brought = [*(run[0] for run in line.runs[1:]), brought_last]
    commands = [_command(one, run[0], brings) for run, brings in zip(line.runs, brought, strict=True)]
    return Message(command=commands[0], then=tuple(commands[1:]), chord=chord)


def _command(one: Dispatch, block_id: str, brings: str | None) -> RunBlock:
    return RunBlock(workspace_id=one.workspace_id, execution_id=one.execution_id, block_id=block_id, epoch=one.epoch,
                    brings=brings)
