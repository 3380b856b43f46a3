"""Cancelling, as an operator sees it: gracefully, by force, and what becomes of agents and people meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.services.lives import ACCEPTED, BUSY, HOUR, LEASE, OPERATOR, STRANGER, Life, S, block, gate
from workflow_service.domain.commands import CancelExecution, CancelMode, HoldScope, PlaceHold, RestartExecution
from workflow_service.domain.errors import IllegalTransition, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ApprovalStatus, WaitStatus

GRACEFUL, FORCE = CancelMode.GRACEFUL, CancelMode.FORCE


def cancelled(life: Life, run: str, mode: CancelMode = GRACEFUL, reason: str | None = None) -> Execution:
    """Let the operator cancel an execution."""
    return life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=mode, reason=reason))


def working(*modes: CancelMode, while_away: bool = False) -> tuple[Life, str, list[object]]:
    """Return an execution that was cancelled, once for each mode, while the agent of ``a`` was at work.

    Args:
        while_away: the Agent Service could not be reached then.

    Returns:
        With it what the operator saw: the status of the execution and of the block, after each cancel.
    """
    life = Life(block("a"), block("b", "a"), gate("g"))
    seen: list[object] = []

    def meanwhile() -> dict[str, str]:
        life.agents.service.set_available(not while_away)
        for mode in modes:
            seen.append((cancelled(life, run, mode).status, life.statuses(run)["a"]))
        return {"value": "done"}

    life.agents.plan("a", meanwhile)
    run = life.start()
    life.messages.rotate(-1)  # the gate first, so that somebody is asked meanwhile
    life.work()
    return life, run, seen


def test_what_runs_may_end_when_it_is_cancelled_gracefully() -> None:
    life, run, seen = working(GRACEFUL)
    assert seen == [(S.CANCELLING, "running")]
    life.ends(run, S.CANCELLED, a="completed", b="cancelled", g="cancelled")
    assert life.block(run, "a").output == {"value": "done"}


def test_what_runs_is_stopped_when_it_is_cancelled_by_force_and_its_answer_counts_for_nothing() -> None:
    life, run, seen = working(FORCE)
    assert seen == [(S.CANCELLED, "cancelled")]
    life.ends(run, S.CANCELLED, a="cancelled", b="cancelled", g="cancelled")
    assert (life.block(run, "a").output, life.of(run).error) == (None, None)


def test_what_is_stopped_is_told_to_its_agent() -> None:
    life, run, _ = working(FORCE)
    key = life.block(run, "a").key
    assert life.agents.service.result("echo", key) == life.agents.service.result("echo", key)
    assert getattr(life.agents.service.result("echo", key), "code", None) == "cancelled"


def test_force_after_graceful_stops_what_still_runs() -> None:
    life, run, seen = working(GRACEFUL, FORCE)
    assert seen == [(S.CANCELLING, "running"), (S.CANCELLED, "cancelled")]
    life.ends(run, S.CANCELLED, a="cancelled")


def test_graceful_after_force_does_not_take_the_force_back() -> None:
    life, run, seen = working(FORCE, GRACEFUL, while_away=True)
    assert seen == [(S.CANCELLING, "running")] * 2
    assert life.of(run).cancel_mode is FORCE


def test_cancelling_twice_changes_nothing() -> None:
    life, run, seen = working(GRACEFUL, GRACEFUL)
    assert seen == [(S.CANCELLING, "running")] * 2
    told = [one.event.type for one in life.events.of_execution(OPERATOR.workspace_id, run)]
    assert told.count("execution_cancelling") == 1
    life.ends(run, S.CANCELLED, a="completed")


def test_what_an_agent_that_can_not_be_told_answers_counts_as_it_is_still_at_work() -> None:
    """Nobody can say that it stopped, so its block goes on until its call is over."""
    life, run, seen = working(FORCE, while_away=True)
    assert seen == [(S.CANCELLING, "running")]
    life.agents.service.set_available(True)
    life.ends(run, S.CANCELLED, a="completed", b="cancelled", g="cancelled")


@pytest.mark.parametrize("mode", CancelMode)
@pytest.mark.parametrize("while_away", [False, True])
def test_people_are_asked_no_more_at_once(mode: CancelMode, while_away: bool) -> None:
    life = Life(block("a"), gate("g"))
    seen: list[object] = []

    def meanwhile() -> dict[str, str]:
        life.agents.service.set_available(not while_away)
        cancelled(life, run, mode)
        seen.append((life.request(run, "g").status, life.wait(run, "g").status, life.statuses(run)["g"]))
        return {}

    life.agents.plan("a", meanwhile)
    run = life.start()
    life.messages.rotate(-1)
    life.work()
    assert seen == [(ApprovalStatus.CANCELLED, WaitStatus.CANCELLED, "cancelled")]
    life.agents.service.set_available(True)
    life.ends(run, S.CANCELLED)


def accepted() -> tuple[Life, str]:
    """Return an execution whose agent took the work of ``a``."""
    life = Life(block("a"), block("b", "a"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    assert life.statuses(run)["a"] == "awaiting_agent"
    return life, run


@pytest.mark.parametrize("mode", CancelMode)
def test_an_agent_that_took_the_work_is_told_to_stop(mode: CancelMode) -> None:
    life, run = accepted()
    assert cancelled(life, run, mode, "wrong file").status is S.CANCELLED
    key = life.block(run, "a").key
    assert getattr(life.agents.service.result("echo", key), "code", None) == "cancelled"
    assert (life.of(run).reason, life.of(run).cancel_mode) == ("wrong file", mode)
    life.ends(run, S.CANCELLED, a="cancelled", b="cancelled")


def test_a_graceful_cancel_does_not_wait_for_an_agent_that_took_the_work() -> None:
    life, run = accepted()
    life.agents.service.set_available(False)
    assert cancelled(life, run).status is S.CANCELLED
    life.ends(run, S.CANCELLED, a="cancelled")


def test_a_forced_cancel_waits_until_the_agent_that_took_the_work_confirms() -> None:
    life, run = accepted()
    life.agents.service.set_available(False)
    assert cancelled(life, run, FORCE).status is S.CANCELLING
    for _ in range(3):
        life.clock.advance(2 * LEASE)
        life.sweep()
    assert (life.of(run).status, life.statuses(run)) == (S.CANCELLING, {"a": "awaiting_agent", "b": "cancelled"})
    life.agents.service.set_available(True)
    life.ends(run, S.CANCELLED, a="cancelled")


def test_a_forced_cancel_ends_when_the_work_is_over_though_nobody_confirmed() -> None:
    life, run = accepted()
    life.agents.service.set_available(False)
    cancelled(life, run, FORCE)
    life.pass_time(30 * HOUR)
    life.settle()
    assert life.of(run).status is S.CANCELLED
    life.is_right()


class _Lost(BaseException):
    """Raised when a worker dies."""


def a_lost_life() -> tuple[Life, str]:
    """Return an execution whose worker died while the agent of ``a`` was at work."""
    life = Life(block("a"))

    def die() -> dict[str, str]:
        raise _Lost

    life.agents.plan("a", die)
    run = life.start()
    with pytest.raises(_Lost):
        life.work()
    assert life.statuses(run)["a"] == "running"
    return life, run


def test_a_forced_cancel_goes_on_when_the_worker_is_lost() -> None:
    life, run = a_lost_life()
    life.agents.service.set_available(False)
    assert cancelled(life, run, FORCE).status is S.CANCELLING
    life.clock.advance(2 * LEASE)
    life.agents.service.set_available(True)
    life.ends(run, S.CANCELLED, a="cancelled")


def test_the_agent_of_a_lost_worker_is_told_to_stop_as_well() -> None:
    life, run = a_lost_life()
    life.clock.advance(2 * LEASE)
    life.pause(run)
    life.settle()
    assert life.statuses(run) == {"a": "ready"}
    cancelled(life, run, FORCE)
    life.ends(run, S.CANCELLED, a="cancelled")
    assert getattr(life.agents.service.result("echo", life.block(run, "a").key), "code", None) == "cancelled"


def paused(life: Life, run: str) -> object:
    """Stop an execution by itself."""
    return life.pause(run)


def held(life: Life, run: str) -> object:
    """Stop it by a standing hold."""
    return life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.WORKSPACE))


@pytest.mark.parametrize("mode", CancelMode)
@pytest.mark.parametrize("stop", [paused, held])
def test_what_is_paused_can_be_cancelled(mode: CancelMode, stop: Callable[[Life, str], object]) -> None:
    life = Life(gate("a"), block("b"), block("c", "a", "b"))
    run = life.start()
    life.work()
    stop(life, run)
    assert cancelled(life, run, mode).status is S.CANCELLED
    life.ends(run, S.CANCELLED, a="cancelled", b="completed", c="cancelled")
    assert (life.of(run).holds, life.of(run).stopped_since) == ((), None)


def test_what_waits_for_a_retry_ends() -> None:
    life = Life(block("a"))
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    assert cancelled(life, run).status is S.CANCELLED
    life.ends(run, S.CANCELLED, a="cancelled")
    assert life.block(run, "a").retry_at is None


@pytest.mark.parametrize("mode", CancelMode)
def test_what_has_ended_cant_be_cancelled(mode: CancelMode) -> None:
    life = Life(block("a"))
    run = life.start()
    life.ends(run, S.COMPLETED)
    with pytest.raises(IllegalTransition):
        cancelled(life, run, mode)
    with pytest.raises(NotFound):
        life.engine.cancellation.cancel(STRANGER, CancelExecution(execution_id=run))


@pytest.mark.parametrize("mode", CancelMode)
def test_what_was_cancelled_can_be_restarted(mode: CancelMode) -> None:
    life, run, _ = working(mode)
    life.ends(run, S.CANCELLED)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))
    assert (life.of(run).cancel_mode, life.of(run).reason) == (GRACEFUL, None)
    life.work()
    life.answer(run, "g")
    life.ends(run, S.COMPLETED, a="completed", b="completed", g="completed")
    assert life.agents.called("a") == (1 if mode is GRACEFUL else 2)
