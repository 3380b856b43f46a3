"""Each command of an operator against each step of a block, in every order of their decisive writes.

Who takes the step stands right before the write that decides it. The command comes whole before that write
(``command_first``); or it has read everything and writes after it (``step_first``); or it has only written what is
wanted when the step is taken, and is carried out after it (``step_between``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, settles, started, stored
from tests.support.protocol.templates import block, gate
from tests.support.protocol.world import LEASE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus

_ORDERS = ("command_first", "step_first", "step_between")
_RETRY = {"maxRetries": 2, "initialDelay": 1000}


# ---- the steps: each returns a world and the name of who stands before the step


def _claim(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change A:1f0")
    return world, "worker(A"


def _look(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="executions.get")
    return world, "worker(A"


def _completion(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="/completed")
    return world, "worker(A"


def _claim_in_place(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change B:1f0")
    return world, "worker(A"


def _park(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, gate("A"), block("B", "A"))
    world.work("A", until="/awaiting_approval")
    return world, "worker(A"


def _park_for_the_agent(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.agent.mood = Mood.ACCEPTED
    world.work("A", until="/awaiting_agent")
    return world, "worker(A"


def _decision(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, gate("A"), block("B", "A"))
    world.work("A")
    world.flush_all()
    world.answer_all()
    world.stage.lead("decider", until="approvals.change")
    return world, "decider"


def _wake(worlds: list[World]) -> tuple[World, str]:
    world, _ = _decision(worlds)
    world.stage.lead("decider", until="blocks.change")
    return world, "decider"


def _sweep_of_what_is_not_released(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="blocks.change B:")
    return _swept(world, until="blocks.change B:")


def _sweep_of_a_lost_owner(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="/completed")
    return _swept(world, until="messages.dispatch")


def _sweep_of_a_retry(worlds: list[World]) -> tuple[World, str]:
    world = started(worlds, block("A", retryPolicy=_RETRY), block("B", "A"))
    world.agent.mood = Mood.TRANSIENT
    world.work("A")
    return _swept(world, until="blocks.change A:")


def _swept(world: World, until: str) -> tuple[World, str]:
    world.crash(world.processes[0])
    world.flush_all()
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[0], "blocks")
    world.stage.lead("sweep", until=until)
    return world, "sweep"


_STEPS: tuple[Callable[[list[World]], tuple[World, str]], ...] = (
    _claim, _look, _completion, _claim_in_place, _park, _park_for_the_agent, _decision, _wake,
    _sweep_of_what_is_not_released, _sweep_of_a_lost_owner, _sweep_of_a_retry)


def _race(world: World, step: str, word: str, order: str, name: str = "") -> None:
    """Let a command and a step meet in an order."""
    if order != "command_first":
        world.operate(world.processes[1], word, name)
        world.stage.lead(f".{word}(", until="executions.change")
        _one_call(world, step if order == "step_first" else f".{word}(")
        _to_theirends(world, *((f".{word}(", step) if order == "step_first" else (step, f".{word}(")))
        return
    world.operate(world.processes[1], word, name)
    _to_theirends(world, f".{word}(", step)


def _one_call(world: World, name: str) -> None:
    world.stage.step(next(actor for actor in world.stage.actors if name in actor.name))


def _to_theirends(world: World, *names: str) -> None:
    for name in names:
        world.stage.lead_if_there(name)


def _table(steps: tuple[Callable[..., Any], ...]) -> list[Any]:
    return [pytest.param(step, order, id=f"{step.__name__.strip('_')}-{order}") for step in steps for order in _ORDERS]


@pytest.mark.parametrize(("step", "order"), _table(_STEPS))
@pytest.mark.parametrize(("word", "undo"), [("pause", "resume"), ("hold", "lift"), ("hold_agent", "lift")],
                         ids=["pause", "hold", "hold_agent"])
def test_a_hold_meets(word: str, undo: str, step: Callable[..., tuple[World, str]], order: str,
                      worlds: list[World]) -> None:
    """Whatever was under way is kept, nothing new begins until the hold is lifted, and then all goes on."""
    world, who = step(worlds)
    _race(world, who, word, order)
    settles(world)
    assert world.execution is not None and not world.execution.status.is_terminal, "\n".join(world.trace)
    assert world.block_status("B") in (BlockStatus.PENDING, BlockStatus.READY)
    world.operate(world.processes[0], undo)
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize(("step", "order"), _table(_STEPS))
@pytest.mark.parametrize("word", ["cancel", "force"])
def test_a_cancel_meets(word: str, step: Callable[..., tuple[World, str]], order: str, worlds: list[World]) -> None:
    """Nothing begins any more; a forced one leaves no agent at work."""
    world, who = step(worlds)
    _race(world, who, word, order)
    ends(world, ExecutionStatus.CANCELLED)
    assert not world.agent.works
    assert world.block_status("B") is BlockStatus.CANCELLED


@pytest.mark.parametrize(("step", "order"), _table(_STEPS))
@pytest.mark.parametrize("word", ["restart"])
def test_a_restart_meets(word: str, step: Callable[..., tuple[World, str]], order: str, worlds: list[World]) -> None:
    """Everything runs again in a new epoch, once, and what the old one still brings counts for nothing."""
    world, who = step(worlds)
    _race(world, who, word, order, "A" if word == "restart" else "")
    ends(world, ExecutionStatus.COMPLETED)
    assert (stored(world, "A").epoch, stored(world, "B").epoch) == (2, 2)


# ---- a skip has seen its block wait; then it is woken and somebody runs it


def _waiting(worlds: list[World]) -> World:
    world = started(worlds, block("A", retryPolicy=_RETRY), block("B", "A"))
    world.agent.mood = Mood.TRANSIENT
    world.work("A")
    world.flush_all()
    return world


def _asked(worlds: list[World]) -> World:
    world = started(worlds, gate("A"), block("B", "A"))
    world.work("A")
    world.flush_all()
    return world


def _woken_until(world: World, until: str) -> str:
    world.pass_time(timedelta(seconds=2))
    world.sweep(world.processes[0], "blocks")
    world.stage.lead("sweep")
    world.work("A", until=until)
    return "worker(A"


def _to_claim(world: World) -> str:
    return _woken_until(world, "blocks.change A:")


def _to_completion(world: World) -> str:
    return _woken_until(world, "/completed")


def _to_park(world: World) -> str:
    world.agent.mood = Mood.ACCEPTED
    return _woken_until(world, "/awaiting_agent")


def _to_sweep(world: World) -> str:
    world.pass_time(timedelta(seconds=2))
    world.sweep(world.processes[0], "blocks")
    world.stage.lead("sweep", until="blocks.change A:")
    return "sweep"


def _to_decision(world: World) -> str:
    world.answer_all()
    world.stage.lead("decider", until="approvals.change")
    return "decider"


def _to_wake(world: World) -> str:
    _to_decision(world)
    world.stage.lead("decider", until="blocks.change")
    return "decider"


_SKIPPED = [(_waiting, _to_claim), (_waiting, _to_completion), (_waiting, _to_park), (_waiting, _to_sweep),
            (_asked, _to_decision), (_asked, _to_wake)]


@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.parametrize(("scene", "step"), _SKIPPED, ids=[step.__name__.strip("_") for _, step in _SKIPPED])
def test_a_skip_meets(scene: Callable[..., World], step: Callable[[World], str], order: str,
                      worlds: list[World]) -> None:
    """The supplied output counts, in a new epoch, and not what the old one still brings."""
    world = scene(worlds)
    world.operate(world.processes[1], "skip", "A")
    world.stage.lead("skip", until="executions.change")
    who = step(world)
    if order != "command_first":
        _one_call(world, who if order == "step_first" else ".skip(")
    _to_theirends(world, *((who, ".skip(") if order == "step_between" else (".skip(", who)))
    ends(world, ExecutionStatus.COMPLETED)
    skipped = stored(world, "A")
    assert skipped.supplied is not None and skipped.epoch == 2


@pytest.mark.parametrize("order", ["command_first", "step_first"])
def test_a_retry_now_meets_the_sweep_of_the_retry(order: str, worlds: list[World]) -> None:
    """One of them wakes the block, and its next attempt is made once."""
    world = _waiting(worlds)
    _to_sweep(world)
    world.operate(world.processes[1], "retry", "A")
    world.stage.lead(".retry(", until="blocks.change A:")
    _to_theirends(world, *(("retry", "sweep") if order == "command_first" else ("sweep", "retry")))
    ends(world, ExecutionStatus.COMPLETED)
    found = stored(world, "A")
    assert (found.attempt, found.retry_count) == (2, 1)


@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.parametrize(("word", "status"), [("pause", ExecutionStatus.PAUSED), ("cancel", ExecutionStatus.CANCELLED),
                                              ("restart", ExecutionStatus.COMPLETED),
                                              ("skip", ExecutionStatus.COMPLETED)])
def test_a_retry_now_meets(word: str, status: ExecutionStatus, order: str, worlds: list[World]) -> None:
    """A retry makes no attempt that another command has ruled out."""
    world = _waiting(worlds)
    world.operate(world.processes[0], "retry", "A")
    world.stage.lead("retry", until="blocks.change A:")
    _race(world, "retry", word, order, "A" if word in ("restart", "skip") else "")
    ends(world, status)
