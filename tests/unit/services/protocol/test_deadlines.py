"""Deadlines: requests are escalated and agents given up in time, never early, and not while the clock stands still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.protocol.agent import Mood
from tests.support.protocol.scenes import ends, operated, started
from tests.support.protocol.templates import block, gate
from tests.support.protocol.world import LEASE, WORKSPACE, World
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus


def _level(world: World) -> int:
    return world.approvals.of_execution(WORKSPACE, "e")[0].escalation_level


def _overdue(world: World, by: timedelta) -> None:
    world.pass_time(by)
    world.sweep(world.processes[0], "approvals")
    world.stage.lead("sweep")
    world.flush_all()


def test_a_request_that_nobody_answers_is_escalated_level_by_level(worlds: list[World]) -> None:
    """Each level has as long as the first; an answer then counts as any other."""
    world = started(worlds, gate("G", wait_s=60))
    world.work("G")
    world.flush_all()
    _overdue(world, timedelta(seconds=59))
    assert _level(world) == 0
    for level in (1, 2):
        _overdue(world, timedelta(seconds=61))
        assert _level(world) == level
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize(("word", "lift", "level"), [("pause", "resume", 0), ("hold", "lift", 0),
                                                     ("hold_run", "lift", 1)])
def test_a_request_is_escalated_while_held_only_if_the_clock_goes(word: str, lift: str, level: int,
                                                                  worlds: list[World]) -> None:
    """Where it stood still, all that was left at first is left after it."""
    world = started(worlds, gate("G", wait_s=60))
    world.work("G")
    world.flush_all()
    world.pass_time(timedelta(seconds=30))
    operated(world, word)
    world.flush_all()
    _overdue(world, timedelta(minutes=2))
    assert _level(world) == level
    operated(world, lift)
    world.flush_all()
    _overdue(world, timedelta(seconds=25))
    assert _level(world) == level
    _overdue(world, 16 * LEASE)
    assert _level(world) == level + 1
    ends(world, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("first", ["decider", "sweep"])
def test_an_answer_and_an_escalation_meet(first: str, worlds: list[World]) -> None:
    """Whoever comes second finds the request changed; the answer counts either way."""
    world = started(worlds, gate("G", wait_s=60))
    world.work("G")
    world.flush_all()
    world.pass_time(timedelta(seconds=61))
    world.sweep(world.processes[0], "approvals")
    world.stage.lead("sweep", until="approvals.change")
    world.answer_all()
    world.stage.lead("decider", until="approvals.change")
    world.stage.lead(first)
    world.run_all()
    assert _level(world) == (first == "sweep")
    ends(world, ExecutionStatus.COMPLETED, G=BlockStatus.COMPLETED)


@pytest.mark.parametrize(("word", "lift"), [("pause", "resume"), ("hold", "lift")])
def test_an_agent_that_took_the_work_has_its_time_after_a_pause(word: str, lift: str, worlds: list[World]) -> None:
    """The deadline of the wait stands still with the clock of the execution."""
    world = started(worlds, block("A", timeout=60_000, retryPolicy={"maxRetries": 0}))
    world.agent.mood = Mood.ACCEPTED
    world.work("A")
    world.flush_all()
    world.agent.is_slow = True
    operated(world, word)
    world.flush_all()
    world.pass_time(timedelta(minutes=5))
    world.sweep(world.processes[0], "waits")
    world.run_all()
    operated(world, lift)
    world.flush_all()
    world.pass_time(timedelta(seconds=40))
    world.sweep(world.processes[0], "waits")
    world.run_all()
    world.agent.is_slow = False
    ends(world, ExecutionStatus.COMPLETED)


def test_a_restart_that_an_agent_holds_up_ends_with_the_time_out(worlds: list[World]) -> None:
    """The agent never confirms that it has stopped."""
    world = started(worlds, block("A"), timeout=60_000)
    world.agent.mood = Mood.CUT_OFF
    world.work("A")
    world.flush_all()
    world.agent.is_deaf = True
    operated(world, "restart", "A")
    world.flush_all()
    world.pass_time(timedelta(seconds=61))
    world.sweep(world.processes[0], "executions")
    ends(world, ExecutionStatus.FAILED)


def test_an_execution_times_out_once_whatever_it_does_then(worlds: list[World]) -> None:
    """Its block is at work; it may end, and nothing follows."""
    world = started(worlds, block("A"), block("B", "A"), timeout=60_000)
    world.work("A", until="agent works")
    for _ in range(3):
        world.pass_time(timedelta(seconds=21))
        world.heartbeat(world.processes[0])
        world.stage.lead("heartbeat")
    world.sweep(world.processes[1], "executions")
    world.stage.lead("sweep")
    ends(world, ExecutionStatus.FAILED, A=BlockStatus.COMPLETED, B=BlockStatus.CANCELLED)
