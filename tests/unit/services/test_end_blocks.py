"""Blocks that end their execution, whatever else is going on in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.services.lives import ACCEPTED, BUSY, LEASE, MINUTE, OPERATOR, Life, S, block, gate
from workflow_service.domain.commands import CancelExecution, RestartExecution, SkipBlock
from workflow_service.domain.sentences import sentence_of
from workflow_service.domain.statuses import ApprovalStatus, ExecutionStatus, WaitStatus

FRAUD = {"code": "ended_by_block", "blockId": "e", "message": "Fraud."}


def end(block_id: str, *after: str, status: str = "completed", message: str | None = None, **more: Any) -> Any:
    """Return a block that ends its execution."""
    said = {"status": status} if message is None else {"status": status, "message": message}
    return {"blockId": block_id, "dependencies": list(after), "end": said, **more}


@pytest.mark.parametrize(("status", "error"), [("completed", None), ("failed", FRAUD), ("cancelled", None)])
def test_the_execution_ends_as_the_block_says(status: str, error: dict[str, str] | None) -> None:
    life = Life(block("a"), end("e", "a", status=status, message="Fraud."), gate("g"), block("z", "g"))
    run = life.start()
    life.messages.rotate(-1)
    life.work()
    assert life.of(run).status.value == status
    assert (life.of(run).error, life.of(run).reason) == (error, "Fraud.")
    assert (life.request(run, "g").status, life.wait(run, "g").status) == (ApprovalStatus.CANCELLED,
                                                                           WaitStatus.CANCELLED)
    life.ends(run, S(status), a="completed", e="completed", g="cancelled", z="cancelled")


def test_what_is_at_work_is_stopped_at_its_agent() -> None:
    life = Life(block("b"), end("e"))
    life.agents.plan("b", ACCEPTED)
    run = life.start()
    life.work()
    life.ends(run, S.COMPLETED, b="cancelled", e="completed")
    stopped = life.agents.service.result("echo", life.block(run, "b").key)
    assert getattr(stopped, "code", None) == "cancelled"


def test_an_answer_that_comes_after_the_end_counts_for_nothing() -> None:
    life = Life(block("b"), end("e"))

    def meanwhile() -> dict[str, Any]:
        life.engine.blocks.run(life.messages.popleft())
        return {"value": "too late"}

    life.agents.plan("b", meanwhile)
    run = life.start()
    life.work()
    life.ends(run, S.COMPLETED, b="cancelled", e="completed")
    assert life.block(run, "b").output is None


def test_an_agent_that_can_not_be_told_is_told_by_the_sweep() -> None:
    life = Life(block("b"), end("e"))
    life.agents.plan("b", ACCEPTED)
    run = life.start()
    life.engine.blocks.run(life.messages.popleft())
    life.agents.service.set_available(False)
    life.work()
    assert (life.of(run).status, life.statuses(run)) == (S.CANCELLING, {"b": "awaiting_agent", "e": "completed"})
    life.agents.service.set_available(True)
    life.ends(run, S.COMPLETED, b="cancelled", e="completed")


def test_of_two_ends_the_first_decides() -> None:
    life = Life(end("e", status="failed", message="Fraud."), end("f", status="completed"))
    run = life.start()
    life.work()
    life.ends(run, S.FAILED, e="completed", f="cancelled")
    assert life.of(run).error == FRAUD


def test_an_end_that_completes_while_another_ends_the_execution_changes_nothing() -> None:
    """Both have run when the release of the first begins."""
    life = Life(end("e", status="failed", message="Fraud."), end("f", status="completed"))
    run = life.start()
    first, second = life.messages.popleft(), life.messages.popleft()
    assert life.dies(lambda: life.engine.blocks.run(second), last=_completes_and_no_more(second))
    assert life.statuses(run)["f"] == "completed"
    life.engine.blocks.run(first)
    life.ends(run, S.FAILED, e="completed", f="completed")
    assert life.of(run).ended_by == "e:1"


def _completes_and_no_more(message: Any) -> int:
    """Return the number of the call after the one that stores the completion of a block."""
    for last in range(1, 50):
        probe = Life(end("e", status="failed", message="Fraud."), end("f", status="completed"))
        run = probe.start()
        probe.dies(lambda: probe.engine.blocks.run(message), last)
        if probe.statuses(run)["f"] == "completed":
            return last
    raise AssertionError("it never completes")


def test_whoever_cancelled_the_execution_before_decides() -> None:
    life = Life(block("a"), end("e", status="failed"))
    run = life.start()

    def meanwhile() -> dict[str, Any]:
        life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
        return {}

    life.agents.plan("a", meanwhile)
    life.work()
    life.ends(run, S.CANCELLED, a="completed", e="cancelled")


def test_an_end_wins_over_a_failure() -> None:
    life = Life(block("a", retryPolicy={"maxRetries": 0}), end("e"), gate("g"))
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    life.ends(run, S.COMPLETED, a="failed", e="completed", g="cancelled")
    assert life.of(run).error is None


@pytest.mark.parametrize(("guard", "status", "z"), [("input.stop", S.FAILED, "cancelled"),
                                                    ("!input.stop", S.COMPLETED, "completed")])
def test_an_end_with_a_guard(guard: str, status: ExecutionStatus, z: str) -> None:
    life = Life(block("a"), end("e", "a", status="failed", conditions={"type": "guard", "expression": guard}),
                block("z", "a", "e"))
    run = life.start(stop=True)
    life.ends(run, status, z=z)


@pytest.mark.parametrize(("approved", "status", "e"), [(True, S.CANCELLED, "completed"), (False, S.FAILED, "rejected")])
def test_an_end_about_which_a_person_is_asked(approved: bool, status: ExecutionStatus, e: str) -> None:
    asked = {"required": True, "timeout": 3_600_000}
    life = Life(end("e", status="cancelled", humanInLoop=asked), gate("g"))
    run = life.start()
    life.work()
    life.answer(run, "e", approved)
    if not approved:
        life.work()
        life.answer(run, "g")
    life.ends(run, status, e=e)


def test_an_end_that_a_person_refused_may_lead_elsewhere() -> None:
    asked = {"required": True, "timeout": 3_600_000}
    life = Life(end("e", humanInLoop=asked, onFailure={"action": "branch", "nextBlocks": ["f"]}), block("f"))
    run = life.start()
    life.work()
    life.answer(run, "e", approved=False)
    life.ends(run, S.COMPLETED, e="rejected", f="completed")


def test_an_end_that_an_operator_skips_ends_nothing() -> None:
    asked = {"required": True, "timeout": 3_600_000}
    life = Life(end("e", status="failed", humanInLoop=asked), gate("g"))
    run = life.start()
    life.work()
    life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=run, block_id="e"))
    life.work()
    life.answer(run, "g")
    life.ends(run, S.COMPLETED, e="completed", g="completed")


def test_an_end_waits_while_the_execution_is_paused() -> None:
    life = Life(end("e", status="failed"), gate("g"))
    run = life.start()
    life.messages.rotate(-1)
    life.engine.blocks.run(life.messages.popleft())
    life.pause(run)
    life.work()
    assert life.statuses(run)["e"] == "ready"
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.FAILED, e="completed", g="cancelled")


def test_after_a_restart_of_what_an_end_cut_off_the_execution_ends_as_it_says() -> None:
    """The end stands, as it was not run again; nothing is cut off a second time."""
    life = Life(end("e", status="failed", message="Fraud."), gate("g"), block("z", "g"))
    run = life.start()
    life.work()
    life.ends(run, S.FAILED, g="cancelled")
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="g"))
    life.work()
    life.answer(run, "g")
    life.ends(run, S.FAILED, e="completed", g="completed", z="completed")
    assert life.of(run).error == FRAUD


def test_a_restart_of_the_end_itself_ends_the_execution_again() -> None:
    life = Life(block("a"), end("e", "a", status="failed"), gate("g"))
    run = life.start()
    life.work()
    life.settle()
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a"))
    life.ends(run, S.FAILED, e="completed")
    assert (life.block(run, "e").epoch, life.of(run).ended_by) == (2, "e:2")


@pytest.mark.parametrize("last", range(1, 40))
def test_whenever_the_worker_dies_the_execution_ends_as_the_block_says(last: int) -> None:
    life = Life(end("e", status="failed", message="Fraud."), gate("g"), block("b"))
    life.agents.plan("b", ACCEPTED)
    run = life.start()
    ending = life.messages.popleft()
    life.work()
    life.dies(lambda: life.engine.blocks.run(ending), last)
    life.clock.advance(LEASE + MINUTE)
    life.ends(run, S.FAILED, e="completed", g="cancelled", b="cancelled")
    assert life.of(run).error == FRAUD


def test_an_end_whose_release_was_lost_is_not_overtaken_by_a_close() -> None:
    """All other blocks end before the sweep comes to it."""
    life = Life(end("e", status="failed", message="Fraud."), block("b"))
    run = life.start()
    ending = life.messages.popleft()
    for last in range(1, 30):
        if life.statuses(run)["e"] == "completed":
            break
        life.dies(lambda: life.engine.blocks.run(ending), last)
        life.clock.advance(LEASE)
    life.work()
    assert (life.statuses(run)["b"], life.of(run).status) == ("completed", S.RUNNING)
    life.ends(run, S.FAILED, e="completed", b="completed")


@pytest.mark.parametrize(("status", "outer"), [
    ("completed", "completed"), ("failed", "failed"), ("cancelled", "failed")])
def test_an_end_ends_the_execution_that_it_stands_in_and_no_other(status: str, outer: str) -> None:
    life = Life({"blockId": "sub", "workflow": {"templateId": "inner"}}, block("z", "sub"), block("x"))
    life.store("inner", end("e", status=status, message="Enough."), gate("g"))
    run = life.start()
    life.settle()
    (child,) = life.children(run)
    assert child.status.value == status
    life.ends(run, S(outer), sub=outer, x="completed", z="completed" if outer == "completed" else "cancelled")


def test_an_end_stops_the_parts_of_its_execution() -> None:
    life = Life(block("m", map={"items": "input.list"}, configuration={"value": "${item}"}), block("a"), end("e", "a"))
    life.agents.plan("one", ACCEPTED)
    run = life.start(list=["one"])
    life.work()
    life.ends(run, S.COMPLETED, m="cancelled", e="completed")
    assert [one.status for one in life.children(run)] == [S.CANCELLED]


def test_the_history_says_which_block_ended_it() -> None:
    life = Life(end("e", message="All done."), gate("g"))
    run = life.start()
    life.settle()
    told = [sentence_of(one.event) for one in life.events.of_execution(OPERATOR.workspace_id, run)]
    assert {"Block 'e' was reached", "Block 'e' ends the execution: All done."} <= set(told)
