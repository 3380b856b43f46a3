"""Change notifications of the State Management Service, among all else that happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, operated, started
from tests.support.protocol.stage import Fault
from tests.support.protocol.templates import block
from tests.support.protocol.world import WORKSPACE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


def _accepted(worlds: list[World]) -> World:
    world = started(worlds, block("A"))
    for process in world.processes:
        world.follow(process)
    world.run_all()
    world.agent.mood = Mood.ACCEPTED
    world.work("A")
    world.flush_all()
    world.pass_time(timedelta(seconds=3))
    return world


def test_progress_that_an_agent_writes_makes_us_ask_it_at_once(worlds: list[World]) -> None:
    """No sweep comes; two processes hear of it, and the block is woken once."""
    world = _accepted(worlds)
    world.state.note_progress(WORKSPACE, "e", "A", world.clock.now())
    for process in world.processes:
        world.follow(process)
    world.run_all()
    assert world.block_status("A") is BlockStatus.READY
    world.work_all()
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("word", ["pause", "cancel", "force", "restart"])
@pytest.mark.parametrize("first", [True, False], ids=["command_first", "answer_first"])
def test_progress_and_a_command_meet(word: str, first: bool, worlds: list[World]) -> None:
    """The agent has ended; before its answer is stored, or after it, an operator acts."""
    world = _accepted(worlds)
    world.state.note_progress(WORKSPACE, "e", "A", world.clock.now())
    world.follow(world.processes[0])
    world.stage.lead("follow", until="waits.change")
    if not first:
        world.stage.step(world.stage.actors[0])
    operated(world, word, "A" if word == "restart" else "")
    world.stage.lead("follow")
    ends(world, {"pause": ExecutionStatus.PAUSED, "restart": ExecutionStatus.COMPLETED}.get(
        word, ExecutionStatus.CANCELLED))


def test_progress_of_a_block_that_does_not_wait_changes_nothing(worlds: list[World]) -> None:
    """It is of another execution, of no block, or of one that runs."""
    world = started(worlds, block("A"))
    world.follow(world.processes[0])
    world.run_all()
    for execution_id, name in (("f", "A"), ("e", "X"), ("e", "A")):
        world.state.note_progress(WORKSPACE, execution_id, name, world.clock.now())
    world.follow(world.processes[0])
    world.stage.lead("follow")
    assert world.block_status("A") is BlockStatus.READY
    ends(world, ExecutionStatus.COMPLETED)


def test_a_store_that_is_away_while_changes_are_read_loses_no_wake(worlds: list[World]) -> None:
    """The change is read and the block is not; the poll asks later."""
    world = _accepted(worlds)
    world.state.note_progress(WORKSPACE, "e", "A", world.clock.now())
    world.follow(world.processes[0])
    world.stage.lead("follow", until="blocks.get")
    world.stage.actors[0].fault = Fault.LOST_REQUEST
    ends(world, ExecutionStatus.COMPLETED)
