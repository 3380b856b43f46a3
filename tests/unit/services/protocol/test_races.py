"""Races and deaths that were found once, each led through step by step."""

from __future__ import annotations

from datetime import timedelta

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, started
from tests.support.protocol.stage import Fault
from tests.support.protocol.templates import block, either, gate, template
from tests.support.protocol.world import LEASE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


def test_the_late_release_of_a_failure_spares_the_epoch_of_a_restart(worlds: list[World]) -> None:
    """A failed; before its release cancels B, a restart moves both to a new epoch."""
    world = started(worlds, block("A"), block("B", "A"), block("X"))
    world.agent.mood = Mood.BROKEN
    world.work("A", until="blocks.get_all")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    world.stage.lead("worker(A")
    ends(world, ExecutionStatus.COMPLETED, A=BlockStatus.COMPLETED, B=BlockStatus.COMPLETED)


def test_a_restart_in_which_everything_is_skipped_closes_the_execution(worlds: list[World]) -> None:
    """C was not chosen by A, so it is skipped again while the restart still stands."""
    world = started(worlds, block("A", conditions=either("B", "C")), block("B"), block("C"))
    world.work("A")
    world.flush_all()
    world.operate(world.processes[0], "restart", "C")
    ends(world, ExecutionStatus.COMPLETED, C=BlockStatus.SKIPPED)


def test_a_close_leaves_the_requests_of_a_restart_alone(worlds: list[World]) -> None:
    """Who closed the execution withdraws its requests only after it was restarted and has asked anew."""
    world = started(worlds, gate("G"))
    world.work("G")
    world.flush_all()
    world.answer_all()
    world.run_all()
    world.work("G", until="waits.open_of")
    world.operate(world.processes[1], "restart", "G")
    world.stage.lead("restart")
    world.work("G", by=1)
    world.stage.lead("worker(G:1)")
    ends(world, ExecutionStatus.COMPLETED, G=BlockStatus.COMPLETED)


def test_a_restart_behind_a_block_that_is_cancelled_meanwhile_is_cancelled(worlds: list[World]) -> None:
    """The restart of D is written down when B, before it, is cancelled because A failed."""
    world = started(worlds, block("A"), block("B", "A"), block("D", "B"))
    world.agent.mood = Mood.BROKEN
    world.work("A", until="blocks.change A:1f1v2/running A:1f1v3/failed")
    world.operate(world.processes[1], "restart", "D")
    world.stage.lead("restart", until="blocks.get w e:D")
    world.stage.lead("worker(A")
    world.flush(world.processes[0])
    world.stage.lead("flush")
    world.stage.lead("restart")
    ends(world, ExecutionStatus.FAILED, B=BlockStatus.CANCELLED, D=BlockStatus.CANCELLED)


def test_what_is_skipped_in_the_middle_of_a_restart_is_released_to_those_reset_later(worlds: list[World]) -> None:
    """C of the new epoch is skipped by a sweep before D, behind it, has been reset."""
    world = started(worlds, block("A", conditions=either("B", "C")), block("B"), block("C"), block("D", "B", "C"))
    world.work("A", until="executions.get")
    world.stage.lead("worker(A", until="blocks.change B:")
    world.stage.lead("worker(A", until="blocks.get w e:D")
    world.operate(world.processes[1], "restart", "C")
    world.stage.lead("restart", until="blocks.get w e:D")
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[1], "blocks")
    world.stage.lead("sweep")
    world.flush_all()
    ends(world, ExecutionStatus.COMPLETED, C=BlockStatus.SKIPPED, D=BlockStatus.COMPLETED)


def test_cancelling_an_execution_whose_starter_died_ends_it(worlds: list[World]) -> None:
    """The execution is stored and its blocks are not."""
    world = World(document=template("t", block("A")))
    worlds.append(world)
    world.start(world.processes[0])
    world.stage.lead("start", until="blocks.insert_all")
    world.crash(world.processes[0])
    world.operate(world.processes[1], "cancel")
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.CANCELLED)


def test_restarting_an_execution_that_has_not_started_is_a_conflict(worlds: list[World]) -> None:
    """It has no blocks that could be restarted yet."""
    world = World(document=template("t", block("A")))
    worlds.append(world)
    world.start(world.processes[0])
    world.stage.lead("start", until="blocks.insert_all")
    world.operate(world.processes[1], "restart", "A")
    world.stage.lead("restart")
    assert any("Conflict" in line for line in world.trace)
    ends(world, ExecutionStatus.COMPLETED, A=BlockStatus.COMPLETED)


def test_nobody_is_asked_about_an_execution_that_ended_meanwhile(worlds: list[World]) -> None:
    """A worker that was slow inserts its requests when the execution is cancelled already."""
    world = started(worlds, gate("G"))
    world.work("G", until="waits.insert")
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[1], "blocks")
    world.stage.lead("sweep")
    world.operate(world.processes[1], "cancel")
    world.stage.lead("cancel")
    world.work("G", by=1)
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[1], "executions")
    world.stage.lead("sweep")
    assert world.execution is not None and world.execution.status is ExecutionStatus.CANCELLED
    ends(world, ExecutionStatus.CANCELLED, G=BlockStatus.CANCELLED)


def test_a_pause_longer_than_the_time_out_is_not_its_end(worlds: list[World]) -> None:
    """The time-out stands still while the execution is paused."""
    world = started(worlds, block("A"), block("B", "A"), timeout=300_000)
    world.operate(world.processes[1], "pause")
    world.run_all()
    world.flush_all()
    world.pass_time(timedelta(minutes=6))
    world.sweep(world.processes[1], "executions")
    ends(world, ExecutionStatus.PAUSED, A=BlockStatus.READY)


def test_a_pause_while_it_waits_keeps_the_time_out(worlds: list[World]) -> None:
    """After pause and resume the time-out goes on when a person has answered."""
    world = started(worlds, gate("G"), timeout=300_000)
    world.work("G")
    for word in ("pause", "resume"):
        world.operate(world.processes[0], word)
        world.run_all()
    world.answer_all()
    world.run_all()
    world.work("G", until="agent works")
    assert world.execution is not None and world.execution.deadline is not None


def test_a_restarted_execution_has_a_time_out(worlds: list[World]) -> None:
    """It had none left when it ended."""
    world = started(worlds, block("A"), timeout=300_000)
    world.work("A")
    world.operate(world.processes[0], "restart", "A")
    world.run_all()
    assert world.execution is not None and world.execution.deadline is not None


def test_what_a_person_approved_is_what_the_agent_gets(worlds: list[World]) -> None:
    """The shared context changed while the person was thinking."""
    world = started(worlds, gate("G", configuration={"price": "${context.price}"}), context={"price": 1})
    world.work("G")
    world.state.shared = {"price": 1_000_000}
    world.answer_all()
    ends(world, ExecutionStatus.COMPLETED, G=BlockStatus.COMPLETED)
    assert world.agent.inputs == {"e:G:1": {"price": 1}}


def test_a_block_that_is_run_again_after_a_death_is_given_the_same_input(worlds: list[World]) -> None:
    """The agent refuses another body under the same key."""
    world = started(worlds, block("A", configuration={"price": "${context.price}"}), context={"price": 1})
    world.work("A", until="agent works")
    world.state.shared = {"price": 2}
    world.crash(world.processes[0])
    ends(world, ExecutionStatus.COMPLETED, A=BlockStatus.COMPLETED)


def test_a_result_that_the_store_does_not_take_is_not_a_failure_of_the_block(worlds: list[World]) -> None:
    """The agent has done the work; the store is away for the one moment in which it is stored."""
    world = started(worlds, block("A", retryPolicy={"maxRetries": 0}))
    world.work("A", until="blocks.change A:1f1v2/running A:1f1v3/completed")
    world.stage.actors[0].fault = Fault.LOST_REQUEST
    ends(world, ExecutionStatus.COMPLETED, A=BlockStatus.COMPLETED)


def test_a_late_report_of_a_play_does_not_open_it_again(worlds: list[World]) -> None:
    """The process that started it reports after the one that saw its end."""
    world = started(worlds, block("A"))
    world.flush(world.processes[0])
    world.stage.lead("flush", until="state.put_play")
    world.work("A", by=1)
    world.flush(world.processes[1])
    world.stage.lead("q2.flush")
    ends(world, ExecutionStatus.COMPLETED, A=BlockStatus.COMPLETED)


def test_the_checkpoint_of_a_late_sweep_does_not_hide_the_result(worlds: list[World]) -> None:
    """One batch holds the end of a block, and after it what a slow sweep had read when it was parked."""
    world = started(worlds, gate("G"))
    world.work("G")
    world.pass_time(2 * LEASE)
    world.sweep(world.processes[0], "blocks")
    world.stage.lead("sweep(blocks)", until="executions.get")
    world.answer_all()
    world.stage.lead("decider")
    world.work("G")
    world.stage.lead("sweep(blocks)")
    ends(world, ExecutionStatus.COMPLETED, G=BlockStatus.COMPLETED)


def test_what_is_left_of_a_cancelled_execution_after_a_restart_is_not_called_completed(worlds: list[World]) -> None:
    """Only B runs again; A was cancelled and stays so."""
    world = started(worlds, block("A"), block("B"))
    world.operate(world.processes[0], "cancel")
    world.run_all()
    world.operate(world.processes[0], "restart", "B")
    ends(world, ExecutionStatus.CANCELLED, A=BlockStatus.CANCELLED, B=BlockStatus.COMPLETED)
