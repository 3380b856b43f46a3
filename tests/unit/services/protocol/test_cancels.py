"""Cancels that meet agents at work, and restarts under way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, operated, settles, started, stored
from tests.support.protocol.templates import block
from tests.support.protocol.world import World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


@pytest.mark.parametrize("word", ["restart", "skip"])
def test_a_cancel_right_before_a_reset_leaves_nothing_open(word: str, worlds: list[World]) -> None:
    """The restart, or the skip, has looked; the execution is closed; then it resets the block."""
    world = started(worlds, block("A", retryPolicy={"maxRetries": 0}))
    world.agent.mood = Mood.BROKEN
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], word, "A")
    world.stage.lead(word, until="blocks.change A")
    operated(world, "cancel")
    world.stage.lead(word)
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.FAILED)


def test_what_a_cancelled_restart_left_open_runs_in_the_next_one(worlds: list[World]) -> None:
    """Before any sweep another block is restarted."""
    world = started(worlds, block("A"), block("B"))
    world.work("A")
    world.work("B")
    world.flush_all()
    world.operate(world.processes[0], "restart", "A")
    world.stage.lead("restart", until="blocks.change A")
    operated(world, "cancel")
    world.stage.lead("restart")
    operated(world, "restart", "B")
    settles(world)
    assert world.execution is not None and world.execution.status.is_terminal


def test_a_reset_that_comes_after_the_next_restart_leaves_nothing_open(worlds: list[World]) -> None:
    """The restart of A was cancelled, and B was restarted, when the reset of A is stored at last."""
    world = started(worlds, block("A"), block("B"))
    world.work("A")
    world.work("B")
    world.flush_all()
    world.operate(world.processes[0], "restart", "A")
    world.stage.lead("restart", until="blocks.change A")
    operated(world, "cancel")
    world.operate(world.processes[1], "restart", "B")
    world.stage.lead("q2.restart")
    world.stage.lead("p1.restart")
    settles(world)
    assert world.execution is not None and world.execution.status.is_terminal


@pytest.mark.parametrize("until", ["blocks.get w e:A", "blocks.change A", "blocks.change B", "blocks.get w e:C",
                                   "blocks.change C"])
@pytest.mark.parametrize("then", ["", "redo", "restart", "skip"])
def test_a_restart_is_cancelled_at_each_of_its_steps(then: str, until: str, worlds: list[World]) -> None:
    """A failed, B was cancelled because of it, C has completed; what comes next is not disturbed by the late steps."""
    world = started(worlds, block("A", retryPolicy={"maxRetries": 0}), block("B", "A"), block("C"),
                    block("D", "B", "C"))
    world.agent.mood = Mood.BROKEN
    world.work("A")
    world.work_all()
    world.flush_all()
    world.operate(world.processes[0], "again")
    world.stage.lead("again", until=until)
    operated(world, "cancel")
    if then:
        world.operate(world.processes[1], then, "A")
        actor = next(actor for actor in world.stage.actors if f".{then}(" in actor.name)
        while not actor.has_ended and "blocks.change A" not in actor.stands_at:
            world.stage.step(actor)  # a skip finds no block to skip if the cancel has ended it
    world.stage.lead("again")
    settles(world)
    assert world.execution is not None and world.execution.status.is_terminal


def test_what_was_supplied_by_a_skip_that_was_cancelled_is_not_taken_by_a_restart(worlds: list[World]) -> None:
    """Both lead to the same epoch."""
    world = started(worlds, block("A", retryPolicy={"maxRetries": 0}))
    world.agent.mood = Mood.BROKEN
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], "skip", "A")
    world.stage.lead("skip", until="blocks.change A")
    operated(world, "cancel")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart", until="blocks.change A")
    world.stage.lead("skip")
    world.stage.lead("restart")
    ends(world, ExecutionStatus.COMPLETED)
    assert stored(world, "A").supplied is None


@pytest.mark.parametrize("word", ["cancel", "force"])
def test_an_agent_that_takes_the_work_during_a_cancel_is_told(word: str, worlds: list[World]) -> None:
    """It answers that it will be long when the cancel is written and has not looked at the blocks."""
    world = started(worlds, block("A"))
    world.agent.mood = Mood.ACCEPTED
    world.work("A", until="/awaiting_agent")
    world.operate(world.processes[1], word)
    world.stage.lead(word, until="blocks.get_all")
    world.stage.lead("worker")
    world.stage.lead(word)
    ends(world, ExecutionStatus.CANCELLED)
    assert not world.agent.works


@pytest.mark.parametrize("until", ["/awaiting_agent", None], ids=["before_the_park", "parked"])
def test_a_forced_cancel_waits_for_the_agent_to_confirm(until: str | None, worlds: list[World]) -> None:
    """The agent can't be told at first; the execution is not over before it was."""
    world = started(worlds, block("A"))
    world.agent.mood = Mood.ACCEPTED
    world.work("A", until=until)
    world.agent.stop_fails = True
    operated(world, "force")
    assert world.execution is not None and world.execution.status is ExecutionStatus.CANCELLING
    ends(world, ExecutionStatus.CANCELLED)
    assert not world.agent.works


def test_a_forced_cancel_that_finds_the_work_done_is_over(worlds: list[World]) -> None:
    """The sweep has the agent's answer when the force comes."""
    world = started(worlds, block("A"))
    world.agent.mood = Mood.ACCEPTED
    world.work("A")
    world.flush_all()
    world.pass_time(timedelta(seconds=3))
    world.sweep(world.processes[0], "waits")
    world.stage.lead("sweep", until="waits.change")
    operated(world, "force")
    world.stage.lead("sweep")
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.CANCELLED)


def test_a_call_that_is_on_its_way_when_the_agent_was_told_does_nothing(worlds: list[World]) -> None:
    """The key is taken before the call comes."""
    world = started(worlds, block("A"))
    world.work("A", until="executions.get")
    world.operate(world.processes[1], "force")
    world.stage.lead("force", until="blocks.get_all")
    world.stage.step(world.stage.actors[0])  # the look: the execution is being cancelled
    world.stage.lead("force")
    world.stage.lead("worker")
    ends(world, ExecutionStatus.CANCELLED)
    assert not world.agent.finished


@pytest.mark.parametrize("word", ["force", "restart"])
def test_an_agent_whose_caller_handed_its_block_back_is_stopped(word: str, worlds: list[World]) -> None:
    """The block is ready, and the agent is at work."""
    world = started(worlds, block("A"))
    world.work("A", until="agent works")
    world.hand_back(world.processes[0])
    world.stage.lead("hand back")
    operated(world, word, "A" if word == "restart" else "")
    assert not world.agent.works
    world.work_all()
    ends(world, ExecutionStatus.CANCELLED if word == "force" else ExecutionStatus.COMPLETED)


def test_an_agent_whose_call_was_cut_off_is_stopped_by_a_forced_cancel(worlds: list[World]) -> None:
    """The block waits for a retry, and the agent is at work."""
    world = started(worlds, block("A"))
    world.agent.mood = Mood.CUT_OFF
    world.work("A")
    operated(world, "force")
    assert not world.agent.works
    ends(world, ExecutionStatus.CANCELLED)


def test_a_graceful_cancel_becomes_a_forced_one(worlds: list[World]) -> None:
    """The agent may end its work, until somebody is out of patience."""
    world = started(worlds, block("A"), block("B", "A"))
    world.work("A", until="agent works")
    operated(world, "cancel")
    assert world.agent.works
    operated(world, "force")
    assert not world.agent.works
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.CANCELLED, B=BlockStatus.CANCELLED)
