"""Schedules: bytes that say, call by call, who goes on and what goes wrong. With zeros alone nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.support.protocol.agent import Mood
from tests.support.protocol.stage import Actor, Fault
from tests.support.protocol.world import LEASE, OPERATOR, SWEEPS, Process, World
from workflow_service.domain.commands import ApprovalFilter
from workflow_service.domain.statuses import BlockStatus

_GO_ON = 110
"""Bytes below this let the same actor make its next call."""
_SWITCH = 170
"""Bytes below this let another actor make one."""
_MOODS = tuple(Mood)
_BUDGET: Mapping[str, int] = {"crash": 3, "lose": 3, "again": 4, "time": 6, "operate": 5, "store": 2, "mood": 3}
"""How often each thing may happen in one life, so that lives end."""


@dataclass(kw_only=True)
class Life:
    """One execution from its start to its end, by a schedule."""

    world: World
    schedule: Iterator[int]
    commands: Sequence[str]
    """What operators may do."""
    budget: dict[str, int] = field(default_factory=lambda: dict(_BUDGET))
    current: Actor | None = None

    def live(self) -> list[str]:
        """Live, and return everything that is wrong in the end."""
        world = self.world
        world.start(world.processes[0])
        try:
            for number in self.schedule:
                self._step(number)
            world.settle_down()
            wrong = world.wrong()
            if not wrong and world.execution is not None and world.execution.holds:
                world.operate(world.processes[0], "resume")
                world.settle_down()
                wrong = world.wrong()
            return wrong
        finally:
            world.stage.close()

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
            names = [name for name in self.world.plan.nodes
                     if self.world.block_status(name) not in (None, BlockStatus.PENDING)] or ["A"]
            word = self.commands[(number >> 1) % len(self.commands)]
            self.world.operate(self._process(number), word,
                               names[(number >> 3) % len(names)] if word == "restart" else "")

    def _crash(self, number: int) -> None:
        if self._afford("crash"):
            self.world.crash(self._process(number))

    def _pass_time(self, number: int) -> None:
        if self._afford("time"):
            self.world.pass_time((LEASE + timedelta(seconds=1), timedelta(seconds=2))[number % 4 == 3])

    def _fail_store(self, number: int) -> None:
        actors = self.world.stage.actors
        if actors and self._afford("store"):
            actor = actors[(number >> 1) % len(actors)]
            actor.fault = Fault.LOST_REPLY if number & 1 else Fault.LOST_REQUEST

    def _mood(self, number: int) -> None:
        self.world.agent.way = ("left", "right")[number & 1]
        self.world.agent.stop_fails = number % 16 == 2
        if self._afford("mood"):
            self.world.agent.mood = _MOODS[(number >> 1) % len(_MOODS)]

    _acts: tuple[Callable[..., None], ...] = (
        _deliver, _deliver, _deliver, _deliver, _deliver_again, _lose, _sweep, _sweep, _sweep, _flush, _flush,
        _heartbeat, _decide, _decide, _operate, _operate, _crash, _pass_time, _pass_time, _fail_store, _mood, _mood)


def live(document: Mapping[str, object], schedule: bytes, commands: Sequence[str]) -> tuple[World, list[str]]:
    """Live through a schedule; returns the world and everything that is wrong with it."""
    world = World(document=document, input={"wanted": True})
    return world, Life(world=world, schedule=iter(schedule), commands=commands).live()
