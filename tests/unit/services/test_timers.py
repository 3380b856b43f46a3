"""Blocks that wait for time to pass or for an instant: when they go on, and whatever happens meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.services.lives import HOUR, LEASE, MINUTE, OPERATOR, B, Life, S, block, either, gate
from workflow_service.domain.commands import CancelExecution, CancelMode, ClockRule, RestartExecution
from workflow_service.domain.instants import instant_text, parse_instant
from workflow_service.domain.statuses import WaitStatus


def timer(block_id: str, *after: str, more: dict[str, Any] | None = None, **wait: Any) -> dict[str, Any]:
    """Return a block that waits."""
    return {"blockId": block_id, "dependencies": list(after), "wait": wait, **(more or {})}


def minutes(number: int) -> int:
    """Return minutes as templates have them."""
    return number * 60_000


def fired_at(life: Life, run: str, name: str) -> datetime:
    """Return when a timer says that it was over."""
    output = life.block(run, name).output
    assert output is not None and set(output) == {"firedAt"}
    found = parse_instant(output["firedAt"])
    assert found is not None
    return found


def test_a_duration_is_waited_for_without_a_worker() -> None:
    life = Life(block("a"), timer("w", "a", duration=minutes(30)), block("b", "w"))
    run, since = life.start(), life.clock.now()
    life.settle()
    assert (life.statuses(run)["w"], life.of(run).status) == ("awaiting_time", S.WAITING)
    life.pass_time(20 * MINUTE)
    assert life.statuses(run)["b"] == "pending"
    life.pass_time(20 * MINUTE)
    life.ends(run, S.COMPLETED, w="completed", b="completed")
    assert 30 * MINUTE <= fired_at(life, run, "w") - since <= 40 * MINUTE
    assert life.block(run, "w").attempt <= 1 and not life.agents.called("w")


def test_nobody_looks_at_a_timer_before_its_time() -> None:
    life = Life(timer("w", duration=minutes(30)))
    run = life.start()
    life.settle()
    assert life.wait(run, "w").due_at == life.wait(run, "w").deadline


@pytest.mark.parametrize("zone", ["Z", "+02:00"])
def test_an_instant_is_waited_for(zone: str) -> None:
    life = Life(timer("w", until="${input.at}"))
    at = life.clock.now().replace(microsecond=0) + HOUR
    run = life.start(at=(at + 2 * HOUR * (zone != "Z")).strftime("%Y-%m-%dT%H:%M:%S") + zone)
    life.settle()
    assert life.wait(run, "w").deadline == at
    life.pass_time(HOUR + MINUTE)
    life.ends(run, S.COMPLETED)
    assert fired_at(life, run, "w") >= at


def test_an_instant_that_is_over_is_not_waited_for() -> None:
    life = Life(timer("w", until="2001-01-01T00:00:00Z"), block("b", "w"))
    run = life.start()
    life.work()
    assert life.statuses(run) == {"w": "completed", "b": "completed"} and not life.waits.of_execution("acme", run)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize("said", ["tomorrow", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z", 17, None])
def test_what_is_no_instant_fails(said: object) -> None:
    life = Life(timer("w", until="${input.at}"))
    run = life.start(at=said)
    life.ends(run, S.FAILED, w="failed")
    error = life.block(run, "w").error
    assert error is not None and (error["code"], error["class"]) == ("bad_instant", "configuration")


def test_a_false_guard_skips_and_a_person_may_be_asked_first() -> None:
    life = Life(timer("skipped", duration=minutes(5), more={
        "conditions": {"type": "guard", "expression": "false"}}),
        timer("w", duration=minutes(5), more={"humanInLoop": gate("x")["humanInLoop"]}))
    run = life.start()
    life.settle()
    assert life.statuses(run) == {"skipped": "skipped", "w": "awaiting_approval"}
    life.answer(run, "w")
    life.settle()
    assert life.statuses(run)["w"] == "awaiting_time"
    life.pass_time(10 * MINUTE)
    life.ends(run, S.COMPLETED, w="completed")


def test_branches_after_a_timer() -> None:
    choice = {**either("left", "right"), "branches": [
        {"condition": "output.firedAt > '2000'", "nextBlocks": ["left"]}, {"default": True, "nextBlocks": ["right"]}]}
    life = Life(timer("w", duration=1, more={"conditions": choice}), block("left"), block("right"))
    run = life.start()
    life.work()
    life.pass_time(MINUTE)
    life.ends(run, S.COMPLETED, left="completed", right="skipped")


def test_a_duration_stands_still_with_the_clock() -> None:
    life = Life(timer("w", duration=minutes(30)))
    run = life.start()
    life.settle()
    life.pass_time(10 * MINUTE)
    life.pause(run)
    life.pass_time(2 * HOUR)
    assert life.statuses(run)["w"] == "awaiting_time"
    life.engine.holds.resume(OPERATOR, run)
    life.pass_time(15 * MINUTE)
    assert life.statuses(run)["w"] == "awaiting_time"
    life.pass_time(10 * MINUTE)
    life.ends(run, S.COMPLETED)


def test_after_a_pause_a_timer_is_looked_at_in_time() -> None:
    """Not only when the sweep, which looks seldom meanwhile, would come to it."""
    life = Life(timer("w", duration=minutes(2)))
    run = life.start()
    life.settle()
    life.pause(run)
    life.pass_time(3 * MINUTE)
    life.engine.holds.resume(OPERATOR, run)
    life.work()
    due = life.wait(run, "w").due_at
    assert due is not None and due - life.clock.now() <= 2 * MINUTE


def test_a_duration_goes_on_if_the_clock_does() -> None:
    life = Life(timer("w", duration=minutes(30)))
    run = life.start()
    life.settle()
    life.pause(run, clock=ClockRule.RUN)
    life.pass_time(HOUR)
    assert life.wait(run, "w").status is WaitStatus.FIRED and life.statuses(run)["w"] == "ready"
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_an_instant_does_not_stand_still() -> None:
    life = Life(timer("w", until="${input.at}"))
    run = life.start(at=instant_text(life.clock.now() + HOUR))
    life.settle()
    life.pause(run)
    life.pass_time(2 * HOUR)
    assert life.wait(run, "w").status is WaitStatus.FIRED
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


def test_a_restart_waits_anew() -> None:
    life = Life(timer("w", duration=minutes(30)), block("b", "w"))
    run = life.start()
    life.settle()
    life.pass_time(HOUR)
    life.ends(run, S.COMPLETED)
    restarted = life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="w"))
    assert (restarted.preview.runs_again, restarted.preview.may_repeat) == (("w", "b"), ("b",))
    life.settle()
    assert life.statuses(run)["w"] == "awaiting_time"
    life.pass_time(HOUR)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize("mode", list(CancelMode))
def test_a_cancel_ends_the_wait(mode: CancelMode) -> None:
    life = Life(timer("w", duration=minutes(30)))
    run = life.start()
    life.settle()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run, mode=mode))
    life.ends(run, S.CANCELLED, w="cancelled")
    assert life.wait(run, "w").status is WaitStatus.CANCELLED


def test_whoever_parks_may_die_before_any_call() -> None:
    last, dies = 1, True
    while dies:
        life = Life(block("a"), timer("w", "a", duration=minutes(5)), block("b", "w"))
        run = life.start()
        dies = life.dies(life.work, last)
        life.clock.advance(2 * LEASE)
        life.settle()
        life.pass_time(HOUR)
        life.ends(run, S.COMPLETED, w="completed", b="completed")
        last += 1
    assert last > 10


def test_whoever_wakes_may_die_before_any_call() -> None:
    last, dies = 1, True
    while dies:
        life = Life(timer("w", duration=minutes(5)), block("b", "w"))
        run = life.start()
        life.settle()
        life.clock.advance(HOUR)
        dies = life.dies(life.sweep, last)
        life.clock.advance(2 * LEASE)
        life.ends(run, S.COMPLETED, w="completed", b="completed")
        last += 1
    assert last > 4


def test_the_view_says_until_when() -> None:
    life = Life(timer("w", duration=minutes(30)))
    run = life.start()
    life.settle()
    (shown,) = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    assert shown["status"] == B.AWAITING_TIME
    assert shown["waitingFor"] == {"kind": "time", "until": life.wait(run, "w").deadline}
    life.pause(run)
    life.clock.advance(10 * MINUTE)
    (shown,) = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    deadline = life.wait(run, "w").deadline
    assert deadline is not None and shown["waitingFor"]["until"] - deadline >= 10 * MINUTE - timedelta(seconds=1)
    life.engine.holds.resume(OPERATOR, run)
    life.pass_time(HOUR)
    life.settle()
    (shown,) = life.engine.executions.get(OPERATOR, run)["blockExecutions"]
    assert shown["waitingFor"] is None
