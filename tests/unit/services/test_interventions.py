"""Skipping a block that is stuck and retrying one now, as an operator sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.services.lives import (
    ACCEPTED,
    BROKEN,
    BUSY,
    HOUR,
    LEASE,
    MINUTE,
    OPERATOR,
    STRANGER,
    B,
    Life,
    S,
    block,
    either,
    gate,
)
from workflow_service.domain.commands import (
    CancelExecution,
    HoldScope,
    PlaceHold,
    RespondToApproval,
    RestartExecution,
    RetryBlock,
    SkipBlock,
)
from workflow_service.domain.errors import AlreadyDecided, Conflict, Invalid, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ApprovalStatus, WaitStatus


def skipped(life: Life, run: str, block_id: str, *, reason: str | None = None, **output: Any) -> Execution:
    """Let the operator supply the output of a block."""
    return life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=run, block_id=block_id, output=output,
                                                              reason=reason))


def retried(life: Life, run: str, block_id: str) -> Execution:
    """Let the operator retry a block now."""
    return life.engine.interventions.retry(OPERATOR, RetryBlock(execution_id=run, block_id=block_id))


READS_A = {"value": "b", "n": "${blocks.a.output.n}"}
"""What ``b`` is given: its name, and a number that ``a`` found."""


def failing() -> tuple[Life, str]:
    """Return an execution whose ``a`` failed, before ``b``."""
    life = Life(block("a"), block("b", "a", configuration=READS_A))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="failed", b="cancelled")
    return life, run


def rejecting() -> tuple[Life, str]:
    """Return an execution in which a person rejected ``a``."""
    life = Life(gate("a"), block("b", "a", configuration=READS_A))
    run = life.start()
    life.work()
    life.answer(run, "a", approved=False)
    life.ends(run, S.FAILED, a="rejected", b="cancelled")
    return life, run


def retrying() -> tuple[Life, str]:
    """Return an execution in which ``a`` waits for a retry."""
    life = Life(block("a"), block("b", "a", configuration=READS_A))
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    assert life.statuses(run)["a"] == "retry_wait"
    return life, run


def asking() -> tuple[Life, str]:
    """Return an execution in which ``a`` waits for a person."""
    life = Life(gate("a"), block("b", "a", configuration=READS_A))
    run = life.start()
    life.work()
    assert life.statuses(run)["a"] == "awaiting_approval"
    return life, run


def accepting() -> tuple[Life, str]:
    """Return an execution in which an agent took the work of ``a``."""
    life = Life(block("a"), block("b", "a", configuration=READS_A))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    assert life.statuses(run)["a"] == "awaiting_agent"
    return life, run


Beginning = Callable[[], tuple[Life, str]]
STUCK: list[Beginning] = [failing, rejecting, retrying, asking, accepting]


@pytest.mark.parametrize("beginning", STUCK)
def test_it_goes_on_after_what_is_stuck_with_the_output_that_is_given(beginning: Beginning) -> None:
    life, run = beginning()
    calls = life.agents.called("a")
    skipped(life, run, "a", reason="known", n=7)
    life.ends(run, S.COMPLETED, a="completed", b="completed")
    block = life.block(run, "a")
    assert (block.output, block.epoch, block.error, block.attempt) == ({"n": 7}, 2, None, 0)
    assert block.supplied == {"output": {"n": 7}, "chosen": None, "by": "olga", "reason": "known"}
    assert life.block(run, "b").input == {"value": "b", "n": 7}
    assert life.agents.called("a") == calls
    assert life.of(run).error is None


@pytest.mark.parametrize("beginning", STUCK)
def test_the_view_shows_who_supplied_it(beginning: Beginning) -> None:
    life, run = beginning()
    skipped(life, run, "a", n=7)
    life.ends(run, S.COMPLETED)
    shown = life.engine.executions.get(OPERATOR, run)
    assert [one["suppliedBy"] for one in shown["blockExecutions"]] == ["olga", None]
    assert shown["completedBlocks"] == ["a", "b"]


def test_a_person_who_was_asked_about_it_is_asked_no_more() -> None:
    life, run = asking()
    skipped(life, run, "a", n=7)
    assert (life.request(run, "a").status, life.wait(run, "a").status) == (
        ApprovalStatus.SUPERSEDED, WaitStatus.CANCELLED)
    life.ends(run, S.COMPLETED)


def test_who_answers_after_the_skip_is_told_that_it_is_too_late() -> None:
    life, run = asking()
    asked = life.request(run, "a")
    skipped(life, run, "a", n=7)
    with pytest.raises(AlreadyDecided):
        life.engine.approvals.respond(OPERATOR, RespondToApproval(approval_id=asked.approval_id, approved=False))
    life.ends(run, S.COMPLETED)


def test_a_person_who_was_asked_about_another_block_still_is() -> None:
    life = Life(gate("a"), gate("x"), block("j", "a", "x"))
    run = life.start()
    life.work()
    skipped(life, run, "a")
    assert life.request(run, "x").status is ApprovalStatus.PENDING
    life.ends(run, S.WAITING, a="completed", x="awaiting_approval", j="pending")
    life.answer(run, "x")
    life.ends(run, S.COMPLETED)


def test_a_skip_that_is_cancelled_before_its_end_is_forgotten() -> None:
    life, run = accepting()
    life.agents.service.set_available(False)
    skipped(life, run, "a", n=7)
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.agents.service.set_available(True)
    life.clock.advance(2 * LEASE)
    life.ends(run, S.CANCELLED, a="cancelled")
    life.agents.plan("a", {"n": 8})
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "a").output, life.agents.called("a")) == ({"n": 8}, 2)


def test_what_was_cancelled_by_an_operator_stays_so_when_something_else_is_skipped() -> None:
    life = Life(block("a"), block("b", "a"), gate("g"), block("h", "g"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.work()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.ends(run, S.CANCELLED)
    skipped(life, run, "a", n=1)
    life.ends(run, S.CANCELLED, a="completed", b="completed", g="cancelled", h="cancelled")


def test_nobody_is_asked_about_a_gate_that_is_skipped_after_a_rejection() -> None:
    life, run = rejecting()
    skipped(life, run, "a", n=7)
    life.ends(run, S.COMPLETED)
    assert [one.status for one in life.requests(run, "a")] == [ApprovalStatus.REJECTED]


def test_an_agent_that_took_the_work_is_stopped_first() -> None:
    life, run = accepting()
    key = life.block(run, "a").key
    life.agents.service.set_available(False)
    begun = skipped(life, run, "a", n=7)
    assert (begun.restart_supplied or {})["a"]["output"] == {"n": 7}
    life.sweep()
    life.work()
    assert life.statuses(run) == {"a": "awaiting_agent", "b": "pending"}
    life.clock.advance(2 * LEASE)
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED, a="completed", b="completed")
    assert getattr(life.agents.service.result("echo", key), "code", None) == "cancelled"
    assert life.of(run).restart_supplied is None


def test_under_a_pause_it_goes_on_after_the_resume() -> None:
    life, run = asking()
    life.pause(run)
    assert skipped(life, run, "a", n=7).status is S.PAUSED
    life.pass_time(HOUR)
    assert life.statuses(run) == {"a": "completed", "b": "ready"}
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_what_failed_is_skipped_and_then_held_by_a_standing_hold() -> None:
    life, run = failing()
    hold = life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.TEMPLATE, target="t"))
    skipped(life, run, "a", n=7)
    life.pass_time(HOUR)
    assert (life.of(run).holds, life.statuses(run)) == (("template",), {"a": "completed", "b": "ready"})
    life.engine.standing_holds.lift(OPERATOR, hold.hold_id)
    life.ends(run, S.COMPLETED)


# ---- a block that branches


def branching(*, default: bool = True) -> tuple[Life, str]:
    """Return an execution whose ``a``, which chooses ``l`` or ``r``, failed."""
    life = Life(block("a", conditions=either("l", "r", default=default)), block("l"), block("r"), block("e", "l", "r"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="failed", l="cancelled", r="cancelled", e="cancelled")
    return life, run


@pytest.mark.parametrize(("way", "left", "right"), [
    ("left", "completed", "skipped"), ("right", "skipped", "completed"), ("?", "skipped", "completed")])
def test_a_branch_is_chosen_by_the_output_that_is_given(way: str, left: str, right: str) -> None:
    life, run = branching()
    skipped(life, run, "a", way=way)
    life.ends(run, S.COMPLETED, a="completed", l=left, r=right, e="completed")
    assert life.block(run, "a").chosen == (("l",) if way == "left" else ("r",))


@pytest.mark.parametrize("output", [{}, {"way": "?"}, {"other": 1}])
def test_an_output_that_leads_nowhere_is_refused(output: dict[str, Any]) -> None:
    life, run = branching(default=False)
    before = life.documents()
    with pytest.raises(Invalid) as raised:
        skipped(life, run, "a", **output)
    assert [(issue.path, issue.code) for issue in raised.value.issues] == [("output", "no_branch")]
    assert life.documents() == before


def test_an_inclusive_choice_may_lead_nowhere() -> None:
    life = Life(block("a", conditions={"type": "inclusive", "branches": [
        {"condition": "output.way == 'left'", "nextBlocks": ["l"]}]}), block("l"), block("e", "l"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    skipped(life, run, "a", way="?")
    life.ends(run, S.COMPLETED, a="completed", l="skipped", e="skipped")
    assert life.block(run, "a").chosen == ()


# ---- a join


def doubly_failed() -> tuple[Life, str]:
    """Return an execution in which both predecessors of a join failed."""
    life = Life(block("a"), block("x"), block("j", "a", "x"), block("y", "x"), block("e", "j", "y"))
    life.agents.plan("a", BROKEN)
    life.agents.plan("x", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="failed", x="failed", j="cancelled", y="cancelled", e="cancelled")
    return life, run


@pytest.mark.parametrize("order", ["ax", "xa"])
def test_two_that_failed_before_a_join_are_skipped_one_after_the_other(order: str) -> None:
    life, run = doubly_failed()
    skipped(life, run, order[0], v=1)
    life.ends(run, S.FAILED, j="cancelled", e="cancelled", y="cancelled" if order[0] == "a" else "completed")
    assert (life.of(run).error or {})["blockId"] == order[1]
    skipped(life, run, order[1], v=2)
    life.ends(run, S.COMPLETED, a="completed", x="completed", j="completed", y="completed", e="completed")
    assert (life.agents.called("j"), life.agents.called("y"), life.agents.called("e")) == (1, 1, 1)


def test_one_is_skipped_and_the_other_runs_again() -> None:
    life, run = doubly_failed()
    skipped(life, run, "a", v=1)
    life.settle()
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, failed_only=True))
    life.ends(run, S.COMPLETED, a="completed", x="completed", j="completed")
    assert (life.block(run, "a").output, life.agents.called("a"), life.agents.called("x")) == ({"v": 1}, 1, 2)


def test_what_ran_after_another_branch_keeps_its_result() -> None:
    life = Life(block("a"), block("b", "a"), block("x"), block("y", "x"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, y="completed")
    skipped(life, run, "a")
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "y").epoch, life.agents.called("y")) == (1, 1)


def test_one_that_failed_is_skipped_while_another_is_still_at_work() -> None:
    life = Life(block("a"), block("b", "a"), block("x"), block("j", "b", "x"))
    life.agents.plan("a", BROKEN)
    life.agents.plan("x", ACCEPTED)
    run = life.start()
    life.work()
    assert life.statuses(run) == {"a": "failed", "b": "cancelled", "j": "cancelled", "x": "awaiting_agent"}
    skipped(life, run, "a", v=1)
    life.work()
    assert life.statuses(run) == {"a": "completed", "b": "completed", "j": "pending", "x": "awaiting_agent"}
    life.agents.service.finish("echo", life.block(run, "x").key, {"v": 2})
    life.pass_time(MINUTE)
    life.ends(run, S.COMPLETED, j="completed")


def test_the_predecessor_of_a_block_that_completed_meanwhile_is_not_asked_to_run_again() -> None:
    """``c`` was skipped by its branch; the skip of ``a`` resets what follows, and it is skipped again."""
    life = Life(block("a"), block("b", "a", conditions=either("c", "d")), block("c"), block("d"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    skipped(life, run, "a")
    life.ends(run, S.COMPLETED, b="completed", c="completed", d="skipped")


def test_a_block_that_was_skipped_by_an_operator_can_be_run_after_all() -> None:
    life, run = failing()
    skipped(life, run, "a", n=7)
    life.ends(run, S.COMPLETED)
    life.agents.plan("a", {"n": 8})
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "a").output, life.block(run, "a").supplied) == ({"n": 8}, None)
    assert (life.block(run, "b").input or {})["n"] == 8


def test_a_supplied_output_stays_when_what_follows_runs_again() -> None:
    life, run = failing()
    skipped(life, run, "a", n=7)
    life.ends(run, S.COMPLETED)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="b"))
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "b").input or {})["n"] == 7


def test_what_follows_may_fail_and_be_skipped_in_turn() -> None:
    life, run = failing()
    life.agents.plan("b", BROKEN)
    skipped(life, run, "a", n=7)
    life.ends(run, S.FAILED, a="completed", b="failed")
    skipped(life, run, "b", n=8)
    life.ends(run, S.COMPLETED, a="completed", b="completed")


# ---- what can't be skipped


def test_what_completed_was_skipped_or_cancelled_cant_be_skipped() -> None:
    life = Life(block("a", conditions=either("b", "c")), block("b"), block("c"), block("d", "b"))
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="completed", b="failed", c="skipped", d="cancelled")
    before = life.documents()
    for name, status in (("a", "completed"), ("c", "skipped"), ("d", "cancelled")):
        with pytest.raises(Conflict, match=f"'{name}' is {status}"):
            skipped(life, run, name)
    assert life.documents() == before


def test_what_is_pending_ready_or_running_cant_be_skipped() -> None:
    life = Life(block("a"), block("b", "a"))
    seen: list[str] = []

    def meanwhile() -> dict[str, str]:
        for name in "ab":
            with pytest.raises(Conflict) as raised:
                skipped(life, run, name)
            seen.append(str(raised.value).split(";")[0])
        return {}

    life.agents.plan("a", meanwhile)
    run = life.start()
    with pytest.raises(Conflict, match="'a' is ready"):
        skipped(life, run, "a")
    life.ends(run, S.COMPLETED)
    assert seen == ["Block 'a' is running", "Block 'b' is pending"]


def test_there_is_no_such_block_or_execution_to_skip() -> None:
    life, run = failing()
    for name in ("nobody", "a~0~0"):
        with pytest.raises(NotFound):
            skipped(life, run, name)
    with pytest.raises(NotFound):
        skipped(life, "nowhere", "a")
    with pytest.raises(NotFound):
        life.engine.interventions.skip(STRANGER, SkipBlock(execution_id=run, block_id="a"))


def test_nothing_is_skipped_while_it_is_cancelled_or_restarted() -> None:
    life = Life(block("a"), gate("g"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    life.agents.service.set_available(False)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    with pytest.raises(Conflict):
        skipped(life, run, "g")
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    with pytest.raises(Conflict):
        skipped(life, run, "g")
    life.agents.service.set_available(True)
    life.clock.advance(2 * LEASE)
    life.ends(run, S.CANCELLED)


# ---- retry now


def test_the_next_attempt_is_made_now() -> None:
    life, run = retrying()
    life.agents.plan("a", {"n": 1})
    assert life.block(run, "a").retry_at is not None
    retried(life, run, "a")
    assert (life.block(run, "a").status, life.block(run, "a").retry_at) == (B.READY, None)
    life.work()
    assert life.statuses(run) == {"a": "completed", "b": "completed"}
    life.ends(run, S.COMPLETED)
    assert (life.block(run, "a").attempt, life.block(run, "a").retry_count, life.agents.called("a")) == (2, 1, 2)


def test_a_retry_counts_among_those_of_the_policy() -> None:
    life, run = retrying()
    life.agents.plan("a", BUSY, BUSY)
    for _ in range(2):
        retried(life, run, "a")
        life.work()
    life.ends(run, S.FAILED, a="failed")
    assert life.agents.called("a") == 3


def test_a_retry_of_what_is_paused_is_made_after_the_resume() -> None:
    life, run = retrying()
    life.agents.plan("a", {"n": 1})
    life.pause(run)
    assert retried(life, run, "a").status is S.PAUSED
    life.pass_time(HOUR)
    assert (life.statuses(run)["a"], life.agents.called("a")) == ("ready", 1)
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_a_retry_under_the_hold_of_its_agent_is_made_after_the_lift() -> None:
    life, run = retrying()
    life.agents.plan("a", {"n": 1})
    hold = life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.AGENT, target="echo"))
    retried(life, run, "a")
    life.pass_time(HOUR)
    assert life.agents.called("a") == 1
    life.engine.standing_holds.lift(OPERATOR, hold.hold_id)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize("beginning", [failing, rejecting, asking, accepting])
def test_what_does_not_wait_for_a_retry_is_not_retried(beginning: Beginning) -> None:
    life, run = beginning()
    before = life.documents()
    with pytest.raises(Conflict, match="does not wait for a retry"):
        retried(life, run, "a")
    assert life.documents() == before


def test_there_is_no_such_block_or_execution_to_retry() -> None:
    life, run = retrying()
    with pytest.raises(NotFound):
        retried(life, run, "nobody")
    with pytest.raises(NotFound):
        retried(life, "nowhere", "a")
    with pytest.raises(NotFound):
        life.engine.interventions.retry(STRANGER, RetryBlock(execution_id=run, block_id="a"))


def test_the_view_shows_when_the_next_attempt_is_due() -> None:
    life, run = retrying()
    shown, _ = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    assert (shown["nextAttemptAt"], shown["attempt"]) == (life.block(run, "a").retry_at, 1)
    retried(life, run, "a")
    shown, _ = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    assert shown["nextAttemptAt"] is None


# ---- an agent that is gone


def test_a_block_that_failed_because_its_agent_is_gone_can_be_skipped() -> None:
    life = Life(block("a", agentId="gone"), block("b", "a"))
    run = life.start()
    life.ends(run, S.FAILED, a="failed")
    skipped(life, run, "a", n=1)
    life.ends(run, S.COMPLETED)
