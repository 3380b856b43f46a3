"""What becomes of an execution after a block that failed or was rejected, as the block's failure policy says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.services.lives import BROKEN, LEASE, OPERATOR, Life, S, block, either, gate
from workflow_service.domain import blocks
from workflow_service.domain.commands import RestartExecution, SkipBlock
from workflow_service.domain.errors import Conflict
from workflow_service.domain.statuses import ExecutionStatus

CONTINUE = {"action": "continue"}
NO_RETRY = {"maxRetries": 0}


def branch(*names: str) -> dict[str, Any]:
    """Return the policy of a block with a failure branch."""
    return {"action": "branch", "nextBlocks": list(names)}


def failing(policy: dict[str, Any], *others: dict[str, Any], **more: Any) -> tuple[Life, str]:
    """Return an execution whose block ``a`` fails."""
    life = Life(block("a", onFailure=policy, retryPolicy=NO_RETRY, **more), *others)
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.settle()
    return life, run


def test_a_failure_that_nothing_is_said_of_fails_the_execution() -> None:
    life, run = failing({"action": "fail"}, block("b", "a"))
    life.ends(run, S.FAILED, a="failed", b="cancelled")
    assert life.of(run).error == {"code": "broken", "class": "agent", "message": "No use.", "blockId": "a"}


def test_what_follows_goes_on_after_a_failure_that_is_to_be_continued_after() -> None:
    life, run = failing(CONTINUE, block("b", "a"), block("c", "b"))
    life.ends(run, S.COMPLETED, a="failed", b="completed", c="completed")
    assert life.of(run).error is None


def test_a_chooser_that_failed_chose_nothing() -> None:
    life, run = failing(CONTINUE, block("b"), block("c"), block("d", "a"), conditions=either("b", "c"))
    life.ends(run, S.COMPLETED, a="failed", b="skipped", c="skipped", d="completed")


def test_the_failure_branch_is_taken_instead_of_what_depends_on_the_block() -> None:
    life, run = failing(branch("f"), block("b", "a"), block("f"), block("z", "b", "f"))
    life.ends(run, S.COMPLETED, a="failed", b="skipped", f="completed", z="completed")


def test_a_success_skips_the_failure_branch() -> None:
    life = Life(block("a", onFailure=branch("f")), block("b", "a"), block("f"), block("z", "b", "f"))
    life.ends(life.start(), S.COMPLETED, a="completed", b="completed", f="skipped", z="completed")


def test_a_block_with_nothing_behind_it_but_its_failure_branch() -> None:
    life = Life(block("a", onFailure=branch("f")), block("f"))
    life.ends(life.start(), S.COMPLETED, a="completed", f="skipped")


@pytest.mark.parametrize(("policy", "status", "b", "f"), [
    ({"action": "fail"}, S.FAILED, "cancelled", "completed"), (CONTINUE, S.COMPLETED, "completed", "completed"),
    (branch("f"), S.COMPLETED, "skipped", "completed")])
def test_a_person_s_no_is_a_failure(policy: dict[str, Any], status: ExecutionStatus, b: str, f: str) -> None:
    life = Life(gate("a", onFailure=policy), block("b", "a"), block("f"))
    run = life.start()
    life.work()
    life.answer(run, "a", approved=False)
    life.ends(run, status, a="rejected", b=b, f=f)


def test_retries_come_before_the_policy() -> None:
    life = Life(block("a", onFailure=CONTINUE), block("b", "a"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.COMPLETED, a="failed", b="completed")
    assert life.agents.called("a") == 1  # it was no transient one


def test_a_later_block_reads_the_failure() -> None:
    life, run = failing(CONTINUE, block("b", "a", configuration={
        "value": "b", "status": "${blocks.a.status}", "why": "${blocks.a.error.code}",
        "has": "${[has(blocks.a), has(blocks.a.output), has(blocks.a.error)]}"}))
    life.ends(run, S.COMPLETED, b="completed")
    assert life.block(run, "b").input == {"value": "b", "status": "failed", "why": "broken",
                                          "has": [True, False, True]}


def test_a_later_block_reads_of_a_success_that_there_was_no_failure() -> None:
    life = Life(block("a", onFailure=CONTINUE), block("b", "a", configuration={
        "value": "b", "has": "${[has(blocks.a), has(blocks.a.output), has(blocks.a.error)]}"}))
    run = life.start()
    life.ends(run, S.COMPLETED, b="completed")
    assert life.block(run, "b").input == {"value": "b", "has": [True, True, False]}


def test_only_what_fails_the_execution_is_among_its_failed_blocks() -> None:
    life = Life(block("a", onFailure=CONTINUE, retryPolicy=NO_RETRY), block("b", "a", retryPolicy=NO_RETRY))
    life.agents.plan("a", BROKEN)
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED, a="failed", b="failed")
    shown = life.engine.executions.get(OPERATOR, run)
    assert shown["failedBlocks"] == ["b"]
    assert [one["status"] for one in shown["blockExecutions"]] == ["failed", "failed"]
    assert (life.of(run).error or {})["blockId"] == "b"


def test_a_restart_of_what_failed_leaves_a_failure_that_was_handled_alone() -> None:
    life = Life(block("a", onFailure=CONTINUE, retryPolicy=NO_RETRY), block("b", "a", retryPolicy=NO_RETRY))
    life.agents.plan("a", BROKEN)
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.settle()
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, failed_only=True))
    life.ends(run, S.COMPLETED, a="failed", b="completed")
    assert (life.block(run, "a").epoch, life.block(run, "b").epoch) == (1, 2)


def test_an_execution_in_which_all_failures_were_handled_has_nothing_to_restart() -> None:
    life, run = failing(CONTINUE, block("b", "a"))
    with pytest.raises(Conflict, match="Nothing in execution"):
        life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))


def test_a_block_whose_failure_was_handled_may_be_restarted_and_then_the_other_way_is_taken() -> None:
    life, run = failing(branch("f"), block("b", "a"), block("f"))
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    life.ends(run, S.COMPLETED, a="completed", b="completed", f="skipped")


def test_a_block_whose_failure_was_handled_may_be_skipped() -> None:
    life, run = failing(branch("f"), block("b", "a"), block("f"))
    life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=run, block_id="a", output={"value": 1}))
    life.ends(run, S.COMPLETED, a="completed", b="completed", f="skipped")


def test_a_map_of_which_too_many_items_failed_is_a_failure_like_others() -> None:
    life = Life(block("m", map={"items": "input.list"}, configuration={"value": "${item}"}, retryPolicy=NO_RETRY,
                      onFailure=branch("f")), block("b", "m"), block("f", configuration={
                          "value": "f", "why": "${blocks.m.error.code}"}))
    life.agents.plan("one", BROKEN)
    run = life.start(list=["one"])
    life.ends(run, S.COMPLETED, m="failed", b="skipped", f="completed")
    assert (life.block(run, "f").input or {})["why"] == "items_failed"


def test_the_output_of_the_template_reads_the_failure() -> None:
    life = Life(block("a", onFailure=CONTINUE, retryPolicy=NO_RETRY), output={
        "ok": "${blocks.a.status == 'completed'}", "why": "${has(blocks.a.error) ? blocks.a.error.code : ''}"})
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.COMPLETED, a="failed")
    assert life.engine.executions.get(OPERATOR, run)["output"] == {"ok": False, "why": "broken"}


def test_a_failure_whose_release_was_lost_is_released_by_the_sweep_in_the_same_way() -> None:
    life = Life(block("a", onFailure=branch("f"), retryPolicy=NO_RETRY), block("b", "a"), block("f"))
    run = life.start()
    before = life.block(run, "a")
    claimed = blocks.claim(before, "gone", life.clock.now(), LEASE)
    failed = blocks.fail(claimed, BROKEN, life.clock.now(), LEASE)
    assert life.blocks.change(before, claimed) and life.blocks.change(claimed, failed)
    life.ends(run, S.COMPLETED, a="failed", b="skipped", f="completed")
