"""Pausing and resuming, as an operator sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.services.lives import ACCEPTED, BUSY, HOUR, MINUTE, OPERATOR, STRANGER, B, Life, S, block, gate
from workflow_service.domain import execution as executions
from workflow_service.domain.commands import CancelExecution, ClockRule, HoldScope, PauseExecution, PlaceHold
from workflow_service.domain.errors import Conflict, IllegalTransition, NotFound
from workflow_service.domain.statuses import ApprovalStatus

SLACK = timedelta(seconds=1)
"""What passes on the clock with each look at it adds up to less."""


def a_parked_life() -> tuple[Life, str]:
    """Return an execution that waits for a person."""
    life = Life(gate("a"), block("b", "a"))
    run = life.start()
    life.work()
    return life, run


def an_accepted_life() -> tuple[Life, str]:
    """Return an execution whose agent took the work, and is given two hours for it."""
    life = Life(block("a"), block("b", "a"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    return life, run


def test_nothing_starts_while_it_is_paused_and_all_goes_on_after_the_resume() -> None:
    life = Life(block("a"), block("b", "a"))
    run = life.start()
    paused = life.pause(run, reason="audit")
    assert (paused.status, paused.reason, paused.holds) == (S.PAUSED, "audit", ("operator",))
    life.pass_time(HOUR)
    assert (life.agents.called("a"), life.of(run).status) == (0, S.PAUSED)
    resumed = life.engine.holds.resume(OPERATOR, run)
    assert (resumed.status, resumed.reason, resumed.holds) == (S.RUNNING, None, ())
    life.ends(run, S.COMPLETED, a="completed", b="completed")


def test_what_is_at_work_may_end_and_then_it_is_paused() -> None:
    life = Life(block("a"), block("b", "a"))
    seen: list[object] = []

    def meanwhile() -> dict[str, str]:
        seen.append(life.pause(run).status)
        seen.append(life.engine.executions.in_flight(life.of(run)))
        return {"value": "done"}

    life.agents.plan("a", meanwhile)
    run = life.start()
    life.work()
    assert seen == [S.PAUSING, [{"blockId": "a", "status": "running"}]]
    assert (life.of(run).status, life.statuses(run)) == (S.PAUSED, {"a": "completed", "b": "ready"})
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_pausing_twice_changes_nothing() -> None:
    life, run = a_parked_life()
    life.pause(run, reason="audit")
    life.settle()
    before = life.documents()
    again = life.pause(run, clock=ClockRule.RUN, reason="another")
    assert (again.reason, life.documents()) == ("audit", before)
    life.engine.holds.resume(OPERATOR, run)
    assert life.of(run).holds == ()


def test_what_was_not_paused_cant_be_resumed() -> None:
    life, run = a_parked_life()
    with pytest.raises(Conflict, match="is not paused, it is waiting"):
        life.engine.holds.resume(OPERATOR, run)
    life.pause(run)
    life.engine.holds.resume(OPERATOR, run)
    with pytest.raises(Conflict, match="is not paused"):
        life.engine.holds.resume(OPERATOR, run)


def test_resuming_what_another_holds_says_who() -> None:
    life, run = a_parked_life()
    life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.WORKSPACE))
    with pytest.raises(Conflict, match="held by others: workspace"):
        life.engine.holds.resume(OPERATOR, run)
    assert life.of(run).holds == ("workspace",)


def test_resuming_leaves_it_paused_while_another_holds_it() -> None:
    life, run = a_parked_life()
    life.pause(run)
    hold = life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.WORKSPACE))
    assert life.engine.holds.resume(OPERATOR, run).status is S.PAUSED
    life.engine.standing_holds.lift(OPERATOR, hold.hold_id)
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_what_has_ended_or_is_being_cancelled_cant_be_paused() -> None:
    life = Life(block("a"))
    run = life.start()
    life.settle()
    with pytest.raises(IllegalTransition):
        life.pause(run)
    other = life.start()
    life.agents.plan("a", lambda: _pause_while_cancelling(life, other))
    life.work()
    life.ends(other, S.CANCELLED)


def _pause_while_cancelling(life: Life, run: str) -> dict[str, str]:
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    with pytest.raises(IllegalTransition):
        life.pause(run)
    return {}


def test_nobody_of_another_workspace_can_pause_or_resume() -> None:
    life, run = a_parked_life()
    with pytest.raises(NotFound):
        life.engine.holds.pause(STRANGER, PauseExecution(execution_id=run))
    with pytest.raises(NotFound):
        life.engine.holds.resume(STRANGER, run)


def test_a_person_may_answer_while_it_is_paused_and_the_block_runs_after_the_resume() -> None:
    life, run = a_parked_life()
    life.pause(run)
    life.answer(run, "a")
    life.pass_time(10 * MINUTE)
    assert (life.statuses(run)["a"], life.agents.called("a")) == ("ready", 0)
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_a_request_is_not_escalated_while_the_clock_stands_still_and_its_deadline_moves_by_the_pause() -> None:
    life, run = a_parked_life()
    overdue = life.request(run, "a").overdue_at
    life.pass_time(30 * MINUTE)
    life.pause(run, clock=ClockRule.STOP)
    life.pass_time(5 * HOUR)
    assert (life.request(run, "a").escalation_level, life.request(run, "a").overdue_at) == (0, overdue)
    life.engine.holds.resume(OPERATOR, run)
    stopped = life.of(run).stopped_for
    assert 5 * HOUR <= stopped <= 5 * HOUR + SLACK
    assert life.request(run, "a").overdue_at == overdue + stopped
    life.pass_time(20 * MINUTE)
    assert life.request(run, "a").escalation_level == 0
    life.pass_time(20 * MINUTE)
    assert life.request(run, "a").escalation_level == 1
    life.is_right()
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_a_request_is_escalated_while_it_is_paused_and_the_clock_runs() -> None:
    life, run = a_parked_life()
    life.pause(run, clock=ClockRule.RUN)
    life.pass_time(61 * MINUTE)
    asked = life.request(run, "a")
    assert (asked.escalation_level, asked.assigned_to, asked.status) == (1, "admin", ApprovalStatus.PENDING)
    life.engine.holds.resume(OPERATOR, run)
    assert (life.of(run).stopped_for, life.request(run, "a").overdue_at) == (timedelta(0), asked.overdue_at)
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_two_pauses_move_a_deadline_twice() -> None:
    life, run = a_parked_life()
    overdue = life.request(run, "a").overdue_at
    for _ in range(2):
        life.pause(run)
        life.pass_time(3 * HOUR)
        life.engine.holds.resume(OPERATOR, run)
        life.pass_time(10 * MINUTE)
    assert life.request(run, "a").overdue_at == overdue + life.of(run).stopped_for
    assert life.of(run).stopped_for >= 6 * HOUR
    assert life.request(run, "a").escalation_level == 0
    life.is_right()


def test_a_request_that_was_made_after_a_pause_is_not_moved_by_it() -> None:
    life = Life(block("x"), gate("a", "x"))
    run = life.start()
    life.pause(run)
    life.pass_time(3 * HOUR)
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    asked = life.request(run, "a")
    assert (asked.overdue_at - asked.requested_at, asked.stopped_for) == (HOUR, life.of(run).stopped_for)
    life.pass_time(61 * MINUTE)
    assert life.request(run, "a").escalation_level == 1
    life.is_right()


def test_a_request_that_was_escalated_before_a_pause_has_its_new_deadline_moved() -> None:
    life, run = a_parked_life()
    life.pass_time(61 * MINUTE)
    overdue = life.request(run, "a").overdue_at
    life.pause(run)
    life.pass_time(3 * HOUR)
    life.engine.holds.resume(OPERATOR, run)
    assert life.request(run, "a").overdue_at == overdue + life.of(run).stopped_for
    life.pass_time(70 * MINUTE)
    assert life.request(run, "a").escalation_level == 2
    life.is_right()


def test_an_agent_is_given_its_time_without_the_pause() -> None:
    life, run = an_accepted_life()
    life.pass_time(HOUR)
    life.pause(run, clock=ClockRule.STOP)
    life.pass_time(5 * HOUR)
    assert life.statuses(run)["a"] == "awaiting_agent"
    life.engine.holds.resume(OPERATOR, run)
    life.pass_time(50 * MINUTE)
    assert life.statuses(run)["a"] == "awaiting_agent"
    life.pass_time(20 * MINUTE)
    told = next(one for one in life.waits.of_execution(OPERATOR.workspace_id, run) if one.revision == 0)
    assert (told.payload or {})["failure"]["code"] == "agent_timed_out"


def test_an_agent_that_did_not_end_in_time_is_tried_again_with_the_same_work() -> None:
    life, run = an_accepted_life()
    life.pass_time(3 * HOUR)
    block = life.block(run, "a")
    assert (block.status, block.retry_count, life.agents.called("a")) == (B.AWAITING_AGENT, 1, 1)
    life.agents.service.finish("echo", block.key, {"value": "at last"})
    life.pass_time(10 * MINUTE)
    life.ends(run, S.COMPLETED, a="completed")
    assert (life.block(run, "a").output, life.agents.called("a")) == ({"value": "at last"}, 1)


def test_an_agent_that_never_ends_is_given_up_and_told_so() -> None:
    life, run = an_accepted_life()
    life.pass_time(8 * HOUR)
    life.ends(run, S.FAILED, a="failed")
    assert (life.block(run, "a").error or {})["code"] == "agent_timed_out"
    assert getattr(life.agents.service.result("echo", life.block(run, "a").key), "code", None) == "cancelled"


def test_an_agents_time_is_over_while_it_is_paused_and_the_clock_runs() -> None:
    life, run = an_accepted_life()
    life.pause(run, clock=ClockRule.RUN)
    life.pass_time(2 * HOUR + 10 * MINUTE)
    assert life.statuses(run)["a"] == "ready"
    assert life.wait(run, "a").payload is not None
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    assert (life.block(run, "a").error or {})["code"] == "agent_timed_out"
    life.agents.service.finish("echo", life.block(run, "a").key, {"value": "at last"})
    life.pass_time(20 * MINUTE)
    life.ends(run, S.COMPLETED)


def test_an_agent_that_ends_its_work_while_it_is_paused_is_heard_after_the_resume() -> None:
    life, run = an_accepted_life()
    life.pause(run)
    life.agents.service.finish("echo", life.block(run, "a").key, {"value": "done"})
    life.pass_time(20 * MINUTE)
    assert life.agents.called("b") == 0
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED, a="completed", b="completed")
    assert (life.block(run, "a").output, life.agents.called("a")) == ({"value": "done"}, 1)


@pytest.mark.parametrize("length", [MINUTE, 4 * MINUTE])
def test_a_retry_that_was_due_later_is_made_when_it_is_due(length: timedelta) -> None:
    life = Life(block("a"))
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    due = life.block(run, "a").retry_at
    assert due is not None and life.block(run, "a").status is B.RETRY_WAIT
    life.pause(run)
    life.pass_time(length)
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    assert (life.block(run, "a").status, life.block(run, "a").due_at) == (B.RETRY_WAIT, due)
    life.clock.set(due)
    life.sweep()
    life.work()
    life.ends(run, S.COMPLETED)


def test_a_retry_that_became_due_while_it_was_paused_is_made_soon_after_the_resume() -> None:
    life = Life(block("a"))
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    life.pause(run)
    life.pass_time(24 * HOUR, at_once=True)
    life.pass_time(2 * HOUR)
    assert (life.statuses(run)["a"], life.agents.called("a")) == ("retry_wait", 1)
    life.engine.holds.resume(OPERATOR, run)
    life.sweep()
    life.work()
    assert life.agents.called("a") == 2
    life.ends(run, S.COMPLETED)


def test_a_time_out_stands_still_with_the_clock_and_goes_on_with_it() -> None:
    life = Life(block("a"), block("b", "a"), globalSettings={"timeout": 3_600_000})
    stopped, running = life.start(), life.start()
    life.pause(stopped, clock=ClockRule.STOP)
    life.pause(running, clock=ClockRule.RUN)
    life.pass_time(2 * HOUR)
    assert (life.of(stopped).status, life.of(running).status) == (S.PAUSED, S.FAILED)
    assert (life.of(running).error or {})["code"] == "execution_timed_out"
    life.engine.holds.resume(OPERATOR, stopped)
    life.ends(stopped, S.COMPLETED)


def test_who_resumes_and_dies_is_followed_by_the_sweep() -> None:
    life, run = a_parked_life()
    life.pause(run)
    life.pass_time(2 * HOUR)
    before = life.of(run)
    overdue = life.request(run, "a").overdue_at
    assert life.executions.change(before, executions.lift(before, "operator", life.clock.now()))
    life.sweep()
    assert life.request(run, "a").overdue_at == overdue + life.of(run).stopped_for
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_the_view_shows_that_it_is_held_and_by_whom() -> None:
    life, run = a_parked_life()
    life.pause(run, reason="audit")
    shown = life.engine.executions.get(OPERATOR, run)
    assert (shown["status"], shown["holds"], shown["clock"], shown["reason"]) == (
        "paused", ["operator"], "stopped", "audit")
    life.engine.holds.resume(OPERATOR, run)
    shown = life.engine.executions.get(OPERATOR, run)
    assert (shown["holds"], shown["clock"], shown["reason"]) == ([], "running", None)


def test_what_ends_before_it_is_paused_has_no_reason_to_be() -> None:
    life = Life(block("a"))
    life.agents.plan("a", lambda: {"status": life.pause(run, reason="audit").status.value})
    run = life.start()
    life.ends(run, S.COMPLETED)
    assert life.of(run).reason is None
