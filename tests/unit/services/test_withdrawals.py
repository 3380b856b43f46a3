"""Blocks that an execution goes on without: what comes too late for a join, and what an operator takes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.services.lives import (
    ACCEPTED,
    BUSY,
    HOUR,
    LEASE,
    OPERATOR,
    STRANGER,
    Life,
    S,
    block,
    gate,
)
from workflow_service.domain import execution as executions
from workflow_service.domain.agents import Failure, FailureClass
from workflow_service.domain.commands import CancelBlock, CancelExecution, PauseExecution, RestartExecution
from workflow_service.domain.errors import Conflict, NotFound
from workflow_service.domain.sentences import sentence_of
from workflow_service.domain.statuses import ApprovalStatus, WaitStatus

LATE = {"mode": "any", "late": "cancel"}


def cancelled(life: Life, run: str, block_id: str, **how: Any) -> Any:
    """Let the operator take a block out of an execution."""
    return life.engine.withdrawals.cancel_block(OPERATOR, CancelBlock(execution_id=run, block_id=block_id, **how))


def racing(*others: dict[str, Any], policy: dict[str, Any] = LATE, **slow: Any) -> tuple[Life, str]:
    """Return an execution in which ``slow`` is first and ``fast`` second, and both lead to ``j``, which leads to ``z``.
    """
    life = Life(block("slow", **slow), block("fast"), block("j", "slow", "fast", joinPolicy=policy), block("z", "j"),
                *others)
    return life, life.start()


def told(life: Life, run: str) -> list[str]:
    """Return the history in sentences."""
    return [sentence_of(one.event) for one in life.events.of_execution(OPERATOR.workspace_id, run)]


# ---- late


def test_what_has_not_begun_is_withdrawn_when_the_join_begins() -> None:
    life = Life(block("a"), block("b", "a"), block("fast"), block("j", "b", "fast", joinPolicy=LATE), block("z", "j"))
    run = life.start()
    life.messages.rotate(-1)
    life.engine.blocks.run(life.messages.popleft())
    life.messages.rotate(1)  # the join before the block before it
    life.work()
    life.ends(run, S.COMPLETED, a="skipped", b="skipped", fast="completed", j="completed", z="completed")
    assert (life.agents.called("a"), life.agents.called("b")) == (0, 0)
    assert "What comes too late is not waited for any more: b, a" in told(life, run)
    assert "Block 'a' was skipped: what it leads to has begun without it" in told(life, run)


def test_what_is_late_and_ignored_goes_on() -> None:
    life, run = racing(policy={"mode": "any"})
    life.agents.plan("slow", ACCEPTED)
    life.work()
    assert life.statuses(run) == {"slow": "awaiting_agent", "fast": "completed", "j": "completed", "z": "completed"}
    life.agents.service.finish("echo", life.block(run, "slow").key, {"value": "slow"})
    life.pass_time(HOUR)
    life.ends(run, S.COMPLETED, slow="completed")


def test_an_agent_that_took_the_late_work_is_told_to_stop() -> None:
    life, run = racing()
    life.agents.plan("slow", ACCEPTED)
    life.work()
    life.ends(run, S.COMPLETED, slow="skipped", j="completed", z="completed")
    assert getattr(life.agents.service.result("echo", life.block(run, "slow").key), "code", None) == "cancelled"


def test_what_is_at_work_is_stopped_and_its_answer_counts_for_nothing() -> None:
    life, run = racing()

    def meanwhile() -> dict[str, Any]:
        while life.messages:
            life.engine.blocks.run(life.messages.popleft())
        assert life.statuses(run) == {"slow": "skipped", "fast": "completed", "j": "completed", "z": "completed"}
        return {"value": "too late"}

    life.agents.plan("slow", meanwhile)
    life.work()
    life.ends(run, S.COMPLETED, slow="skipped", j="completed")
    assert (life.block(run, "slow").output, life.block(run, "slow").fence) == (None, 2)


def test_that_an_agent_was_stopped_is_no_failure() -> None:
    """It tells its caller before the block is withdrawn, and that must not fail the execution."""
    life, run = racing(retryPolicy={"maxRetries": 0})
    stopped = Failure(code="cancelled", failure_class=FailureClass.AGENT, message="Stopped.")

    def meanwhile() -> Failure:
        now = life.of(run)
        assert life.executions.change(now, executions.withdraw(now, ["slow"], "late", life.clock.now()))
        return stopped

    life.agents.plan("slow", meanwhile)
    life.engine.blocks.run(life.messages.popleft())
    assert life.statuses(run)["slow"] == "skipped"


def test_a_person_is_not_asked_any_more_about_what_is_late() -> None:
    life = Life(gate("slow"), block("fast"), block("j", "slow", "fast", joinPolicy=LATE))
    run = life.start()
    life.work()
    assert life.request(run, "slow").status is ApprovalStatus.CANCELLED
    assert life.wait(run, "slow").status is WaitStatus.CANCELLED
    life.ends(run, S.COMPLETED, slow="skipped", j="completed")


def test_what_waits_for_a_retry_is_withdrawn() -> None:
    life, run = racing()
    life.agents.plan("slow", BUSY)
    life.work()
    life.ends(run, S.COMPLETED, slow="skipped", j="completed")


def test_what_leads_elsewhere_as_well_goes_on() -> None:
    life = Life(gate("slow"), block("fast"), block("j", "slow", "fast", joinPolicy=LATE), block("x", "slow"))
    run = life.start()
    life.work()
    assert life.statuses(run)["slow"] == "awaiting_approval"
    life.answer(run, "slow")
    life.ends(run, S.COMPLETED, slow="completed", x="completed", j="completed")


def test_a_join_whose_guard_is_false_withdraws_as_well() -> None:
    never = {"type": "guard", "expression": "false"}
    life = Life(gate("slow"), block("fast"), block("j", "slow", "fast", joinPolicy=LATE, conditions=never))
    run = life.start()
    life.ends(run, S.COMPLETED, slow="skipped", j="skipped")


def test_an_agent_that_can_not_be_told_of_what_is_late_is_told_by_the_sweep() -> None:
    life, run = racing()
    life.agents.plan("slow", ACCEPTED)

    def meanwhile() -> dict[str, Any]:
        life.agents.service.set_available(False)
        return {}

    life.agents.plan("fast", meanwhile)
    life.agents.plan("j", ACCEPTED)
    life.work()
    assert life.statuses(run)["slow"] == "awaiting_agent"
    assert life.of(run).withdrawing == {"slow": "late"}
    life.agents.service.set_available(True)
    life.settle()
    assert (life.statuses(run)["slow"], life.of(run).withdrawing) == ("skipped", {})


@pytest.mark.parametrize("last", range(1, 45))
def test_whenever_the_worker_of_the_join_dies_what_is_late_is_withdrawn(last: int) -> None:
    life = Life(gate("slow"), block("more", "slow"), block("fast"), block("j", "more", "fast", joinPolicy=LATE),
                block("z", "j"))
    run = life.start()
    slow, fast = life.messages
    life.messages.clear()
    life.engine.blocks.run(slow)
    life.engine.blocks.run(fast)
    (join,) = life.messages
    life.messages.clear()
    life.dies(lambda: life.engine.blocks.run(join), last)
    life.clock.advance(2 * LEASE)
    life.ends(run, S.COMPLETED, slow="skipped", more="skipped", j="completed", z="completed")


def test_a_restart_brings_back_what_was_late_only_if_it_is_named() -> None:
    life, run = racing()
    life.agents.plan("slow", ACCEPTED)
    life.work()
    life.settle()
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="j"))
    life.ends(run, S.COMPLETED, slow="skipped", j="completed")
    assert (life.block(run, "slow").epoch, life.block(run, "j").epoch) == (1, 2)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="slow"))
    life.settle()
    assert (life.block(run, "slow").epoch, life.block(run, "j").epoch) == (2, 3)
    life.ends(run, S.COMPLETED, j="completed")


# ---- an operator takes something out


def stuck(kind: str) -> tuple[Life, str]:
    """Return an execution whose block ``a`` stands in some way, with ``b`` after it and ``c`` after ``b`` and ``x``."""
    first = gate("a") if kind == "asks" else block("a")
    life = Life(first, block("b", "a"), block("x"), block("c", "b", "x"))
    run = life.start()
    if kind == "waits":
        life.agents.plan("a", ACCEPTED)
    if kind == "retries":
        life.agents.plan("a", BUSY)
    if kind != "ready":
        life.work()
    return life, run


@pytest.mark.parametrize("region", [False, True])
@pytest.mark.parametrize("kind", ["ready", "asks", "waits", "retries"])
def test_the_execution_goes_on_without_the_block(kind: str, region: bool) -> None:
    life, run = stuck(kind)
    assert cancelled(life, run, "a", region=region, reason="not needed").status in (S.RUNNING, S.WAITING)
    assert life.statuses(run)["a"] == "skipped"
    life.ends(run, S.COMPLETED, a="skipped", b="skipped", x="completed", c="completed")
    names = "b, a" if region else "a"
    assert f"The execution goes on without {names}, asked by olga: not needed" in told(life, run)
    causes = [one.event.payload["cause"] for one in life.events.of_execution(OPERATOR.workspace_id, run)
              if one.event.type == "block_skipped"]
    assert causes == (["cancelled", "cancelled"] if region else ["cancelled", "no_edge_satisfied"])


def test_a_block_that_has_not_begun_is_taken_out_and_what_is_before_it_goes_on() -> None:
    life, run = stuck("ready")
    cancelled(life, run, "b")
    life.ends(run, S.COMPLETED, a="completed", b="skipped", c="completed")


def test_the_region_of_a_block_that_has_ended_is_what_is_left_of_it() -> None:
    life = Life(block("a"), gate("b", "a"), block("c", "b"), block("x"), block("d", "c", "x"))
    run = life.start()
    life.work()
    with pytest.raises(Conflict, match="'a' has ended"):
        cancelled(life, run, "a")
    cancelled(life, run, "a", region=True)
    life.ends(run, S.COMPLETED, a="completed", b="skipped", c="skipped", d="completed")


def test_what_is_at_work_is_stopped() -> None:
    life = Life(block("a"), block("b", "a"))
    run = life.start()
    life.agents.plan("a", lambda: cancelled(life, run, "a") and {"value": "too late"})
    life.work()
    life.ends(run, S.COMPLETED, a="skipped", b="skipped")
    assert life.block(run, "a").output is None


def test_a_person_is_not_asked_any_more() -> None:
    life, run = stuck("asks")
    cancelled(life, run, "a")
    assert life.request(run, "a").status is ApprovalStatus.CANCELLED
    assert life.wait(run, "a").status is WaitStatus.CANCELLED


def test_while_the_agent_can_not_be_told_the_block_stays_and_asking_again_changes_nothing() -> None:
    life, run = stuck("waits")
    life.agents.service.set_available(False)
    for _ in range(2):
        cancelled(life, run, "a")
    assert (life.statuses(run)["a"], life.of(run).withdrawing) == ("awaiting_agent", {"a": "cancelled"})
    assert sum("goes on without" in one for one in told(life, run)) <= 1
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED, a="skipped", b="skipped", c="completed")
    assert life.of(run).withdrawing == {}


def test_a_block_is_taken_out_of_a_paused_execution_and_nothing_starts() -> None:
    life, run = stuck("ready")
    life.engine.holds.pause(OPERATOR, PauseExecution(execution_id=run))
    cancelled(life, run, "a")
    life.settle()
    assert (life.of(run).status, life.statuses(run)) == (S.PAUSED, {"a": "skipped", "b": "skipped", "c": "pending",
                                                                    "x": "ready"})
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED, x="completed", c="completed")


def test_an_execution_that_has_nothing_left_is_complete() -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    assert cancelled(life, run, "a").status is S.COMPLETED
    life.ends(run, S.COMPLETED, a="skipped")


def test_an_execution_of_which_all_waited_and_a_merge_is_skipped_is_complete() -> None:
    """Nobody is asked anywhere, so nobody else would look at it again."""
    life = Life(block("a"), block("b", "a"), block("c", "a"), block("d", "b", "c"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    life.settle()
    assert life.of(run).status is S.WAITING
    assert cancelled(life, run, "a").status is S.COMPLETED
    life.ends(run, S.COMPLETED, a="skipped", d="skipped")


def mapped() -> dict[str, Any]:
    """Return a block that does each item of a list, one after the other."""
    return block("m", map={"items": "input.list", "maxParallel": 1}, configuration={"value": "${item}"})


@pytest.mark.parametrize("is_reachable", [True, False])
def test_the_items_of_a_map_that_is_taken_out_are_stopped(is_reachable: bool) -> None:
    life = Life(mapped(), block("b", "m"))
    life.agents.plan("one", ACCEPTED)
    run = life.start(list=["one", "two"])
    life.work()
    (child,) = life.children(run)
    life.agents.service.set_available(is_reachable)
    cancelled(life, run, "m")
    assert life.statuses(run)["m"] == ("skipped" if is_reachable else "awaiting_children")
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED, m="skipped", b="skipped")
    assert [one.status for one in life.children(run)] == [S.CANCELLED]
    stopped = life.agents.service.result("echo", life.block(child.execution_id, "m").key)
    assert getattr(stopped, "code", None) == "cancelled"


def test_the_items_of_a_map_that_is_late_are_stopped() -> None:
    life = Life(mapped(), block("fast"), block("j", "m", "fast", joinPolicy=LATE))
    life.agents.plan("one", ACCEPTED)
    run = life.start(list=["one", "two"])
    life.work()
    life.ends(run, S.COMPLETED, m="skipped", j="completed")
    assert [one.status for one in life.children(run)] == [S.CANCELLED]


def test_a_block_within_a_part_of_an_execution_is_taken_out() -> None:
    life = Life({"blockId": "sub", "workflow": {"templateId": "inner"}})
    life.store("inner", gate("a"), block("b"))
    run = life.start()
    life.work()
    (child,) = life.children(run)
    life.engine.withdrawals.cancel_block(OPERATOR, CancelBlock(execution_id=child.execution_id, block_id="a"))
    life.ends(run, S.COMPLETED, sub="completed")
    assert life.statuses(child.execution_id) == {"a": "skipped", "b": "completed"}


def _complete(life: Life, run: str) -> None:
    life.work()
    life.settle()


def _cancel(life: Life, run: str) -> None:
    life.agents.service.set_available(False)
    life.engine.blocks.run(life.messages.popleft())
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))


@pytest.mark.parametrize(("before", "message"), [
    (_complete, "is completed; nothing in it goes on"), (_cancel, "is cancelled; nothing in it goes on")])
def test_nothing_is_taken_out_of_what_is_over(before: Callable[[Life, str], None], message: str) -> None:
    life, run = stuck("ready")
    before(life, run)
    with pytest.raises(Conflict, match=message):
        cancelled(life, run, "a")


def test_a_block_that_has_ended_can_not_be_taken_out() -> None:
    life, run = stuck("asks")
    with pytest.raises(Conflict, match="Block 'x' has ended"):
        cancelled(life, run, "x")


def test_what_is_not_there_can_not_be_taken_out() -> None:
    life, run = stuck("asks")
    with pytest.raises(NotFound):
        cancelled(life, run, "nobody")
    with pytest.raises(NotFound):
        life.engine.withdrawals.cancel_block(STRANGER, CancelBlock(execution_id=run, block_id="a"))


@pytest.mark.parametrize("last", range(1, 40))
def test_whenever_the_process_dies_all_or_nothing_is_taken_out(last: int) -> None:
    life = Life(gate("a"), block("b", "a"), gate("x"), block("c", "b", "x"))
    run = life.start()
    life.work()
    life.dies(lambda: cancelled(life, run, "a", region=True), last)
    life.clock.advance(2 * LEASE)
    life.settle()
    found = life.statuses(run)
    if found["a"] != "skipped":
        assert (found["a"], found["b"]) == ("awaiting_approval", "pending")
        cancelled(life, run, "a", region=True)
    life.answer(run, "x")
    life.ends(run, S.COMPLETED, a="skipped", b="skipped", c="completed")


def test_a_restart_forgets_what_was_to_be_taken_out_of_what_it_resets() -> None:
    life, run = stuck("waits")
    life.agents.service.set_available(False)
    cancelled(life, run, "a")
    life.agents.service.set_available(True)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    assert life.of(run).withdrawing == {}
    life.ends(run, S.COMPLETED, a="completed", b="completed", c="completed")
