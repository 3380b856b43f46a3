"""Blocks that are withdrawn while others act."""

from __future__ import annotations

import pytest

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, operated, started
from tests.support.protocol.templates import LATE, block, end, gate
from tests.support.protocol.world import World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus

DONE, GONE = BlockStatus.COMPLETED, BlockStatus.SKIPPED


def test_the_call_of_a_withdrawn_block_that_was_cut_off_is_stopped_before_a_restart(worlds: list[World]) -> None:
    """Nobody waited for it, so it was withdrawn although its agent did not confirm."""
    world = started(worlds, block("A"), block("B"), block("J", "A", "B", joinPolicy=LATE))
    world.agent.mood = Mood.CUT_OFF
    world.work("B")
    world.agent.stop_fails = True
    world.work("A")
    world.work("J")
    assert world.block_status("B") is GONE and world.agent.works
    world.agent.stop_fails = True
    operated(world, "restart", "B")
    assert world.block_status("B") is GONE  # not before its agent has confirmed
    ends(world, ExecutionStatus.COMPLETED, A=DONE, J=DONE)


@pytest.mark.parametrize("until", ["blocks.get_all", "blocks.change B", "executions.change"])
def test_a_restart_in_the_middle_of_a_withdrawal_runs_what_was_late(until: str, worlds: list[World]) -> None:
    """What was written down for the first epoch does not end the second."""
    world = started(worlds, gate("B"), block("A"), block("J", "A", "B", joinPolicy=LATE))
    world.work("A")
    world.work("B")
    world.work("J", until=until)
    operated(world, "restart", "B")
    world.work("B", by=1)
    assert world.block_status("B") is BlockStatus.AWAITING_APPROVAL
    world.stage.lead("worker(J:1")
    assert world.block_status("B") in (BlockStatus.AWAITING_APPROVAL, GONE)
    ends(world, ExecutionStatus.COMPLETED, A=DONE, J=DONE)


def test_what_parks_while_it_is_withdrawn_is_withdrawn_by_the_sweep(worlds: list[World]) -> None:
    """It is claimed and about to park when the join has looked."""
    world = started(worlds, gate("B"), block("A"), block("J", "A", "B", joinPolicy=LATE))
    world.work("A")
    world.work("B", until="blocks.change B")
    world.work("J", until="blocks.change B", by=1)
    world.stage.lead("worker(B:1")
    world.stage.lead("worker(J:1")
    ends(world, ExecutionStatus.COMPLETED, A=DONE, B=GONE, J=DONE)


@pytest.mark.parametrize("word", ["cancel", "force"])
@pytest.mark.parametrize("until", ["blocks.statuses", "executions.change", "blocks.get_all", "blocks.change B"])
def test_a_cancel_in_the_middle_of_a_withdrawal_wins(until: str, word: str, worlds: list[World]) -> None:
    world = started(worlds, gate("B"), block("A"))
    world.work("B")
    world.operate(world.processes[0], "drop", "B")
    world.stage.lead("drop", until=until)
    operated(world, word)
    world.stage.lead("drop")
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.CANCELLED)


@pytest.mark.parametrize("until", ["executions.get w e", "executions.change", "blocks.get_all w e ['E'"])
def test_a_cancel_right_before_an_end_decides(until: str, worlds: list[World]) -> None:
    """The end block has completed, and its execution is not ending yet."""
    world = started(worlds, end("E", status="completed"), gate("G"))
    world.work("G")
    world.work("E", until="/completed")
    world.stage.step(world.stage.actors[0])
    world.stage.lead("worker(E", until="executions.change")
    operated(world, "cancel")
    world.stage.lead("worker(E")
    ends(world, ExecutionStatus.CANCELLED, E=DONE, G=BlockStatus.CANCELLED)
