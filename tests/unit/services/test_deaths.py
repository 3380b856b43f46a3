"""Whoever carries out an operator's command may die before any of its calls: what was begun is brought to its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.services.lives import ACCEPTED, BROKEN, HOUR, LEASE, OPERATOR, Life, S, block, either, gate
from workflow_service.domain.commands import (
    LATEST,
    CancelExecution,
    CancelMode,
    HoldScope,
    PlaceHold,
    RestartExecution,
    SkipBlock,
)
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import ApprovalStatus

STEP = 3
"""Every third call is a place to die."""
Act = Callable[[Life, str], object]


def a_life() -> tuple[Life, str]:
    """Return an execution in which a block failed, a person is asked, and an agent took the work."""
    life = Life(block("a"), block("b", "a"), gate("g"), block("x"), block("y", "x"), block("e", "b", "g", "y"))
    life.agents.plan("a", BROKEN)
    life.agents.plan("x", ACCEPTED)
    run = life.start()
    life.work()
    assert set(life.statuses(run).values()) == {"failed", "cancelled", "pending", "awaiting_approval",
                                                "awaiting_agent"}
    return life, run


def an_ended_life() -> tuple[Life, str]:
    """Return an execution that failed, and a newer version of its template."""
    life = Life(block("a"), block("b", "a"), block("c", "b"))
    life.agents.plan("b", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    life.redefine("1.1.0", "1.0.0", block("a", conditions=either("b", "n")), block("b"), block("n"), block("e", "b"))
    return life, run


def bring_to_its_end(life: Life, run: str) -> Execution:
    """Lift what holds, answer and do what is asked for, run again what failed, and let all come to its end."""
    for _ in range(12):
        life.clock.advance(2 * LEASE)
        life.settle()
        for hold in life.engine.standing_holds.all(OPERATOR):
            life.engine.standing_holds.lift(OPERATOR, hold.hold_id)
        if "operator" in life.of(run).holds:
            life.engine.holds.resume(OPERATOR, run)
        for asked in life.approvals.of_execution(OPERATOR.workspace_id, run):
            if asked.status is ApprovalStatus.PENDING:
                life.answer(run, asked.block_id)
        if life.statuses(run).get("x") == "awaiting_agent":
            life.agents.service.finish("echo", life.block(run, "x").key, {"value": "x"})
        if life.of(run).status is S.COMPLETED:
            break
        if life.of(run).status.is_terminal:
            life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))
        life.pass_time(HOUR / 6)
    return life.of(run)


def restart(life: Life, run: str) -> object:
    """Run a block again whose agent is at work."""
    return life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="x"))


def skip(life: Life, run: str) -> object:
    """Supply the output of the block that failed."""
    return life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=run, block_id="a", output={"n": 1}))


def skip_gate(life: Life, run: str) -> object:
    """Supply the output of the block about which a person is asked."""
    return life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=run, block_id="g"))


def cancel(life: Life, run: str) -> object:
    """Stop everything."""
    return life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=CancelMode.FORCE))


def pause_and_resume(life: Life, run: str) -> object:
    """Pause the execution and think better of it."""
    life.pause(run)
    return life.engine.holds.resume(OPERATOR, run)


def hold_and_lift(life: Life, run: str) -> object:
    """Hold the workspace and think better of it."""
    hold = life.engine.standing_holds.place(OPERATOR, PlaceHold(scope=HoldScope.WORKSPACE))
    return life.engine.standing_holds.lift(OPERATOR, hold.hold_id)


def redefine(life: Life, run: str) -> object:
    """Go on with the newer definition."""
    return life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, definition=LATEST))


@pytest.mark.parametrize(("beginning", "act"), [
    (a_life, restart), (a_life, skip), (a_life, skip_gate), (a_life, cancel), (a_life, pause_and_resume),
    (a_life, hold_and_lift), (an_ended_life, redefine)])
def test_what_a_dead_process_began_is_brought_to_its_end(beginning: Callable[[], tuple[Life, str]], act: Act) -> None:
    last, dies = 1, True
    while dies:
        life, run = beginning()
        dies = life.dies(lambda: act(life, run), last)
        ended = bring_to_its_end(life, run)
        assert ended.status is S.COMPLETED, (last, ended, life.statuses(run))
        life.is_right()
        last += STEP
    assert last > 10
