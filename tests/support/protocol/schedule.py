"""Schedules: bytes that say, call by call, who goes on and what goes wrong. With zeros alone nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.protocol.agent import Mood
from tests.support.protocol.stage import Actor, Fault
from tests.support.protocol.templates import newer
from tests.support.protocol.world import LEASE, OPERATOR, SWEEPS, WORKSPACE, Process, World
from workflow_service.domain.commands import ApprovalFilter
from workflow_service.domain.execution import OPERATOR_HOLD
from workflow_service.domain.statuses import FAILURES, BlockStatus

_GO_ON = 110
"""Bytes below this let the same actor make its next call."""
_SWITCH = 170
"""Bytes below this let another actor make one."""
_MOODS = tuple(Mood)
_BUDGET: Mapping[str, int] = {
    "crash": 3, "lose": 3, "again": 4, "time": 6, "operate": 6, "store": 2, "mood": 3, "stop": 2}
"""How often each thing may happen in one life, so that lives end."""
_REVIVES = frozenset({"restart", "redo", "again", "latest"})
"""What brings back an execution that has ended."""


@dataclass(kw_only=True)
class Life:
    """One execution from its start to its end, by a schedule."""

    world: World
    schedule: Iterator[int]
    commands: Sequence[str]
    """What operators may do."""
    again: bytes = b""
    """The schedule of a second life, after a restart of what has ended."""
    budget: dict[str, int] = field(default_factory=lambda: dict(_BUDGET))
    current: Actor | None = None
    idle: int = 0
    """For how many rounds of the end nobody answers requests."""

    def live(self) -> list[str]:
        """Live, and return everything that is wrong in the end."""
        self.world.start(self.world.processes[0])
        try:
            wrong = self._live_through(self.schedule)
            if not wrong and self.again:
                wrong = self._live_again()
            return wrong
        finally:
            self.world.stage.close()

    def _live_again(self) -> list[str]:
        """Bring back what has ended, and go on by what is left of the schedule."""
        self.world.stage.open()
        self.budget, self.current = dict(_BUDGET), None
        word = next((word for word in self.commands if word in _REVIVES), None)
        if word is not None:
            self.world.operate(self.world.processes[0], word, "A" if self.world.block_status("A") else "G")
        return self._live_through(iter(self.again))

    def _live_through(self, schedule: Iterator[int]) -> list[str]:
        self.schedule = schedule
        world = self.world
        for number in schedule:
            self._step(number)
        world.settle_down(idle_rounds=self.idle)
        wrong = world.wrong()
        if not wrong and world.execution is not None and not world.execution.status.is_terminal:
            self._lift_all()
            wrong = world.wrong()
            if world.execution is not None and not world.execution.status.is_terminal:
                wrong.append(f"all holds are lifted, and it is {world.execution.status.value}")
        return wrong

    def _lift_all(self) -> None:
        """Take every hold away and let the execution come to its end."""
        self.world.operate(self.world.processes[0], "lift")
        if self.world.execution is not None and OPERATOR_HOLD in self.world.execution.holds:
            self.world.operate(self.world.processes[0], "resume")
        self.world.settle_down()

    def _step(self, number: int) -> None:
        actors = self.world.stage.actors
        if number < _GO_ON:
            self._go_on()
        elif number < _SWITCH:
            if actors:
                self._let(actors[number % len(actors)])
        else:
            self._acts[number % len(self._acts)](self, self._next())

    def _go_on(self) -> None:
        """Do what comes next when nothing goes wrong."""
        world = self.world
        if self.current is None or self.current not in world.stage.actors:
            if not world.stage.actors:
                if world.messages:
                    world.worker(world.processes[0], world.messages.pop(0))
                else:
                    world.flush(world.processes[0])
            self.current = world.stage.actors[0]
        self._let(self.current)

    def _let(self, actor: Actor) -> None:
        self.current = actor
        self.world.stage.step(actor)

    def _next(self) -> int:
        return next(self.schedule, 0)

    def _afford(self, what: str) -> bool:
        self.budget[what] -= 1
        return self.budget[what] >= 0

    def _process(self, number: int) -> Process:
        return self.world.processes[number % 2]

    # ---- what may happen beside the calls of those who are there

    def _deliver(self, number: int) -> None:
        if self.world.messages:
            message = self.world.messages.pop((number >> 1) % len(self.world.messages))
            self.world.worker(self._process(number), message)

    def _deliver_again(self, number: int) -> None:
        if self.world.messages and self._afford("again"):
            self.world.worker(self._process(number), self.world.messages[(number >> 1) % len(self.world.messages)])

    def _lose(self, number: int) -> None:
        if self.world.messages and self._afford("lose"):
            lost = self.world.messages.pop(number % len(self.world.messages))
            self.world.tell(f"message {lost.command.block_id}:{lost.command.epoch} LOST")

    def _sweep(self, number: int) -> None:
        if sum("sweep" in actor.name for actor in self.world.stage.actors) < 2:
            self.world.sweep(self._process(number), SWEEPS[(number >> 1) % len(SWEEPS)])

    def _flush(self, number: int) -> None:
        self.world.flush(self._process(number))

    def _heartbeat(self, number: int) -> None:
        self.world.heartbeat(self._process(number))

    def _decide(self, number: int) -> None:
        engine = self._process(number).engine
        pending = engine.approvals.pending(OPERATOR, ApprovalFilter())
        if pending:
            self.world.decide(self._process(number), pending[(number >> 1) % len(pending)].approval_id,
                              bool(number & 64) or number < 128)

    def _operate(self, number: int) -> None:
        if self.commands and self.world.execution is not None and self._afford("operate"):
            word = self.commands[(number >> 1) % len(self.commands)]
            names = self._targets(word)
            self.world.operate(self._process(number), word, names[(number >> 3) % len(names)])

    def _targets(self, word: str) -> list[str]:
        """Return the blocks that a command may be about."""
        if word not in ("restart", "skip", "retry", "drop", "drop_region"):
            return [""]
        found = {name: self.world.block_status(name) for name in self.world.plan.nodes}
        begun = [name for name, status in found.items() if status not in (None, BlockStatus.PENDING)]
        if word == "restart":
            return begun or ["A"]
        if word.startswith("drop"):
            return [name for name, status in found.items() if status is not None and not status.is_terminal] or ["A"]
        if word == "retry" and BlockStatus.RETRY_WAIT not in found.values():
            self.world.agent.mood = Mood.TRANSIENT  # there is nothing to retry yet
        stuck = [name for name in begun if (status := found[name]) is not None
                 and (status in FAILURES or status is BlockStatus.RETRY_WAIT or status.is_parked)]
        return stuck or begun or ["A"]

    def _crash(self, number: int) -> None:
        if self._afford("crash"):
            self.world.crash(self._process(number))

    def _pass_time(self, number: int) -> None:
        if self._afford("time"):
            self.world.pass_time((LEASE + timedelta(seconds=1), LEASE + timedelta(seconds=1), timedelta(minutes=2),
                                  timedelta(seconds=2))[number % 4])

    def _follow(self, number: int) -> None:
        """An agent writes of its progress, and a process reads it."""
        for name in self.world.plan.nodes:
            self.world.state.note_progress(WORKSPACE, "e", name, self.world.clock.now())
        self.world.follow(self._process(number))

    def _stop(self, number: int) -> None:
        """A process that has to end hands its blocks back, and ends."""
        if self._afford("stop"):
            self.world.hand_back(self._process(number))

    def _fail_store(self, number: int) -> None:
        actors = self.world.stage.actors
        if actors and self._afford("store"):
            actor = actors[(number >> 1) % len(actors)]
            actor.fault = Fault.LOST_REPLY if number & 1 else Fault.LOST_REQUEST

    def _signal(self, number: int) -> None:
        if self.world.execution is not None:
            self.world.signal(self._process(number), "xyz"[(number >> 1) % 3], f"key {number % 8}")

    def _mood(self, number: int) -> None:
        self.world.agent.way = ("left", "right")[number & 1]
        self.world.agent.stop_fails = number % 16 == 2
        if self._afford("mood"):
            self.world.agent.mood = _MOODS[(number >> 1) % len(_MOODS)]

    _acts: tuple[Callable[..., None], ...] = (
        _deliver, _deliver, _deliver, _deliver, _deliver_again, _lose, _sweep, _sweep, _sweep, _flush, _flush,
        _heartbeat, _decide, _decide, _operate, _operate, _operate, _crash, _pass_time, _pass_time, _fail_store, _mood,
        _mood, _follow, _stop, _signal)


def live(document: Mapping[str, Any], schedule: bytes, commands: Sequence[str]) -> tuple[World, list[str]]:
    """Live through a schedule; returns the world and everything that is wrong with it."""
    world = World(document=document, input={"wanted": True}, newer=newer(document))
    world.release_template()
    half = len(schedule) // 2 if schedule[:1] > b"\x80" and set(commands) & _REVIVES else len(schedule)
    life = Life(world=world, schedule=iter(schedule[:half]), commands=commands, again=schedule[half:],
                idle=sum(schedule[-1:]) % 3)
    return world, life.live()
