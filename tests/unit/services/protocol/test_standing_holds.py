"""Standing holds that meet a start, a restart, a lift, or a death."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.protocol.scenes import ends, fresh, operated, settles, started
from tests.support.protocol.templates import block, gate
from tests.support.protocol.world import LEASE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


@pytest.mark.parametrize("until", ["executions.live", "executions.change", "holds.advance"])
def test_a_hold_whose_author_dies_is_applied_all_the_same(until: str, worlds: list[World]) -> None:
    """It is stored, and so in force; the sweep brings the execution in line, and the hold to its end."""
    world = started(worlds, block("A"))
    world.operate(world.processes[1], "hold")
    world.stage.lead("hold", until=until)
    world.crash(world.processes[1])
    world.pass_time(LEASE)
    world.sweep(world.processes[0], "executions")
    world.stage.lead("sweep")
    ends(world, ExecutionStatus.PAUSED, A=BlockStatus.READY)
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("until", ["executions.live", "executions.change", "messages.dispatch", "holds.remove"])
def test_a_lift_whose_author_dies_is_done_all_the_same(until: str, worlds: list[World]) -> None:
    """Nothing of the hold is left."""
    world = started(worlds, block("A"))
    operated(world, "hold")
    world.flush_all()
    world.operate(world.processes[1], "lift")
    world.stage.lead("lift", until=until)
    world.crash(world.processes[1])
    ends(world, ExecutionStatus.COMPLETED)


def test_a_hold_that_was_lifted_before_its_reader_wrote_it_does_not_stay(worlds: list[World]) -> None:
    """Who starts the execution has read the hold, writes it after the lift, and dies."""
    world = fresh(worlds, block("A"))
    operated(world, "hold")
    world.start(world.processes[0])
    world.stage.lead("start", until="executions.change")
    operated(world, "lift")
    world.stage.lead("start", until="holds.of_workspace")
    world.crash(world.processes[0])
    for word in ("pause", "resume"):
        operated(world, word)
        world.flush_all()
    ends(world, ExecutionStatus.COMPLETED)


def test_a_hold_that_was_lifted_while_it_was_given_does_not_stay(worlds: list[World]) -> None:
    """Who places it has read it, gives it to the execution after the lift, and dies before the second look."""
    world = started(worlds, block("A"))
    world.operate(world.processes[0], "hold")
    world.stage.lead("hold", until="executions.change")
    operated(world, "lift")
    world.stage.lead("hold", until="executions.get")
    world.stage.lead("hold", until="executions.change")
    world.stage.step(world.stage.actors[0])
    world.flush(world.processes[0])
    world.stage.lead("flush")
    world.crash(world.processes[0])
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("until", ["executions.insert", "blocks.insert_all", "holds.of_workspace",
                                   "executions.change"])
@pytest.mark.parametrize("word", ["hold", "hold_run", "hold_template", "hold_agent"])
def test_a_hold_catches_an_execution_that_is_beingstarted(word: str, until: str, worlds: list[World]) -> None:
    """Wherever who starts it stands when the hold is applied, nothing of it begins."""
    world = fresh(worlds, block("A"))
    world.start(world.processes[0])
    world.stage.lead("start", until=until)
    operated(world, word)
    world.stage.lead("start")
    world.work_all()
    assert world.block_status("A") is BlockStatus.READY
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("until", ["executions.change", "blocks.change A:", "holds.of_workspace",
                                   "blocks.get w e:A"])
def test_a_hold_catches_an_execution_that_is_being_restarted(until: str, worlds: list[World]) -> None:
    """Wherever who restarts it stands when the hold is applied, nothing of it begins."""
    world = started(worlds, block("A"))
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], "restart", "A")
    world.stage.lead("restart", until=until)
    operated(world, "hold")
    world.stage.lead("restart")
    world.work_all()
    assert len(world.agent.finished) == 1
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)


def test_the_hold_of_an_agent_keeps_no_other_agent(worlds: list[World]) -> None:
    """The other block runs, and the execution waits for the lift."""
    world = started(worlds, block("A"), block("B", agentId="other"), block("C", "A", "B"))
    operated(world, "hold_agent")
    settles(world)
    assert (world.block_status("A"), world.block_status("B")) == (
        BlockStatus.READY, BlockStatus.COMPLETED)
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)


def test_a_pause_and_a_hold_are_lifted_each_by_its_own(worlds: list[World]) -> None:
    """The resume leaves the workspace's hold, and the lift lets all go on."""
    world = started(worlds, block("A"))
    for word in ("pause", "hold", "resume"):
        operated(world, word)
    ends(world, ExecutionStatus.PAUSED, A=BlockStatus.READY)
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)


def test_the_time_out_stands_still_while_all_is_parked_whoever_holds_it(worlds: list[World]) -> None:
    """It is parked and held under a clock that goes; a pause that stops the clock comes and goes."""
    world = started(worlds, gate("G"), timeout=300_000)
    world.work("G")
    world.flush_all()
    for word in ("hold_run", "pause", "resume"):
        operated(world, word)
    world.flush_all()
    world.pass_time(timedelta(minutes=6))
    world.sweep(world.processes[0], "executions")
    world.run_all()
    world.operate(world.processes[0], "lift")
    ends(world, ExecutionStatus.COMPLETED)
