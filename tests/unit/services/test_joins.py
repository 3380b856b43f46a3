"""Joins that begin before all the ways into them are decided."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.services.lives import ACCEPTED, BROKEN, MINUTE, OPERATOR, B, Life, S, block, gate
from workflow_service.domain.commands import RestartExecution

ANY = {"mode": "any"}


def n(count: int) -> dict[str, Any]:
    """Return the policy of a join that wants so many."""
    return {"mode": "n", "count": count}


def racing(policy: dict[str, Any], **more: Any) -> tuple[Life, str]:
    """Return an execution in which ``a`` and ``b`` lead to ``j``, and ``b`` waits for a person."""
    life = Life(block("a"), gate("b"), block("j", "a", "b", joinPolicy=policy, **more), block("z", "j"))
    run = life.start()
    life.work()
    return life, run


def test_a_join_of_any_begins_after_the_first_and_the_late_edge_changes_nothing() -> None:
    life, run = racing(ANY)
    assert life.statuses(run) == {"a": "completed", "b": "awaiting_approval", "j": "completed", "z": "completed"}
    life.answer(run, "b")
    life.ends(run, S.COMPLETED, a="completed", b="completed", j="completed", z="completed")
    assert life.agents.called("j") == 1
    late = life.block(run, "j")
    assert (late.pending_edges, late.satisfied) == (("b:1",), 1)


def test_a_join_of_n_waits_for_as_many() -> None:
    life, run = racing(n(2))
    assert life.statuses(run)["j"] == "pending"
    life.answer(run, "b")
    life.ends(run, S.COMPLETED, j="completed", z="completed")


def test_a_join_of_all_is_as_it_was() -> None:
    life, run = racing({"mode": "all"})
    assert life.statuses(run)["j"] == "pending"
    life.answer(run, "b")
    life.ends(run, S.COMPLETED, j="completed")


@pytest.mark.parametrize(("policy", "status"), [(ANY, "completed"), (n(2), "skipped"), (n(1), "completed"),
                                                ({"mode": "all"}, "completed")])
def test_dead_edges_do_not_count(policy: dict[str, Any], status: str) -> None:
    never = {"type": "guard", "expression": "false"}
    life = Life(block("a"), block("b", conditions=never), block("j", "a", "b", joinPolicy=policy), block("z", "j"))
    run = life.start()
    life.ends(run, S.COMPLETED, b="skipped", j=status, z=status)


def test_the_first_of_several_at_once_begins_the_join_once() -> None:
    life = Life(*(block(name) for name in "abcde"), block("j", *"abcde", joinPolicy=n(3)))
    run = life.start()
    life.ends(run, S.COMPLETED, j="completed")
    assert life.agents.called("j") == 1


def test_a_join_that_waits_for_a_person_is_asked_about_once() -> None:
    life = Life(block("a"), block("b"), gate("j", "a", "b", joinPolicy=ANY))
    run = life.start()
    life.settle()
    assert (life.statuses(run)["j"], len(life.requests(run, "j"))) == ("awaiting_approval", 1)
    life.answer(run, "j")
    life.ends(run, S.COMPLETED, j="completed")


def test_a_failure_behind_which_the_join_has_begun_fails_the_execution_all_the_same() -> None:
    """What had begun may end; what had not is cancelled."""
    life = Life(block("a"), block("b", retryPolicy={"maxRetries": 0}), block("j", "a", "b", joinPolicy=ANY),
                block("z", "j"))
    run = life.start()
    life.agents.plan("b", BROKEN)
    life.agents.plan("j", ACCEPTED)
    life.engine.blocks.run(life.messages.popleft())
    life.messages.rotate(1)
    life.work()
    assert life.statuses(run) == {"a": "completed", "b": "failed", "j": "awaiting_agent", "z": "cancelled"}
    life.agents.service.finish("echo", life.block(run, "j").key, {"value": "j"})
    life.pass_time(MINUTE)
    life.ends(run, S.FAILED, j="completed", z="cancelled")


def test_a_late_release_may_be_repeated() -> None:
    life, run = racing(ANY)
    life.answer(run, "b")
    life.work()
    before = life.block(run, "j")
    plan, late = life.record(run).plan, life.block(run, "b")
    for _ in range(2):
        life.engine.blocks._releases.release(plan, late)
    assert life.block(run, "j") == before


def test_a_restarted_join_counts_its_edges_anew() -> None:
    life, run = racing(ANY)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="j"))
    life.work()
    assert (life.block(run, "j").status, life.block(run, "j").epoch) == (B.COMPLETED, 2)
    life.answer(run, "b")
    life.ends(run, S.COMPLETED, j="completed", z="completed")
    assert life.block(run, "j").satisfied == 1
