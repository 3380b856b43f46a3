"""Mutexes: never more at work than there are permits, across executions, and nobody waits for ever, whoever dies."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock, Thread
from time import sleep
from typing import Any

import pytest

from tests.unit.services.lives import ACCEPTED, BUSY, HOUR, LEASE, OPERATOR, STRANGER, WORKSPACE, B, Life, S, block
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelExecution, CancelMode, RestartExecution, SkipBlock
from workflow_service.domain.limits import AgentLimit, AgentLimits
from workflow_service.domain.permits import Claimant, agent_permits, mutex_permits

MUTEX: Mapping[str, Any] = {"name": "deploy"}
NAME = mutex_permits(WORKSPACE, "deploy")


def locked(block_id: str = "a", *after: str, **mutex: Any) -> dict[str, Any]:
    """Return a block with a mutex."""
    return block(block_id, *after, mutex={**MUTEX, **mutex})


def two_runs(**more: Any) -> tuple[Life, str, str]:
    """Return two executions of one block; the agent of the first has taken its work, the second waits."""
    life = Life(block("a", mutex=MUTEX, **more), block("b", "a"))
    life.agents.plan("a", ACCEPTED)
    first, second = life.start(), life.start()
    life.work()
    assert life.statuses(first)["a"] == "awaiting_agent"
    assert (life.statuses(second)["a"], life.block(second, "a").waits_for) == ("ready", NAME)
    return life, first, second


def finish(life: Life, run: str) -> None:
    """Let the agent that took the work of block ``a`` be done with it, and the service hear of it."""
    life.agents.service.finish("echo", life.block(run, "a").key, {"value": "done"})
    life.pass_time(LEASE)


def both_end(life: Life, *runs: str, status: Any = S.COMPLETED) -> None:
    """See that executions end, and that nothing is left in any queue."""
    for run in runs:
        life.ends(run, status)
    life.clock.advance(LEASE)
    life.sweep()
    assert life.permits.everything() == []


def test_the_second_waits_without_a_worker_and_is_sent_when_the_first_has_ended() -> None:
    life, first, second = two_runs()
    waiting = life.block(second, "a")
    assert (waiting.attempt, waiting.lease_owner, life.agents.called("a")) == (0, None, 1)
    finish(life, first)
    assert life.statuses(second) == {"a": "completed", "b": "completed"}
    both_end(life, first, second)


def test_who_gives_back_sends_the_next_without_a_sweep() -> None:
    life = Life(locked())
    runs: list[str] = []

    def work() -> Mapping[str, Any]:
        if len(runs) == 1:
            runs.append(life.start())
            life.work()  # another worker
            assert life.block(runs[1], "a").waits_for == NAME
        return {"value": "done"}

    life.agents.plan("a", work)
    runs.append(life.start())
    life.engine.blocks.run(life.messages.popleft())
    assert [message.execution_id for message in life.messages] == [runs[1]]
    life.work()
    assert life.statuses(runs[1]) == {"a": "completed"}


@pytest.mark.parametrize(("one", "other", "waits"), [
    ({"on": "x"}, {"on": "x"}, True), ({"on": "x"}, {"on": "y"}, False), ({"on": 7}, {"on": 7}, True),
    ({"on": 7}, {"on": "7"}, True)], ids=["same", "different", "numbers", "a number and its text"])
def test_its_name_may_be_computed(one: dict[str, Any], other: dict[str, Any], waits: bool) -> None:
    life = Life(locked(name="on ${input.on}"))
    life.agents.plan("a", ACCEPTED, ACCEPTED)
    life.start(**one)
    second = life.start(**other)
    life.work()
    assert (life.statuses(second)["a"] == "ready") == waits


@pytest.mark.parametrize(("name", "said"), [
    ("${input.none}", "none"), ("${input.list}", "a text or a whole number"), ("${input.flag}", "a text or a whole"),
    ("${input.blank}", "a text or a whole number"), ("${input.long}", "more than 500 characters")])
def test_a_bad_name_fails_the_block_as_configuration(name: str, said: str) -> None:
    life = Life(locked(name=name))
    run = life.start(list=[1], flag=True, blank=" ", long="x" * 501)
    life.ends(run, S.FAILED, a="failed")
    error = life.block(run, "a").error
    assert error is not None
    assert (error["code"], error["class"]) == ("expression_error", "configuration")
    assert said in error["message"]
    assert life.agents.called("a") == 0


def test_another_workspace_has_a_mutex_of_its_own() -> None:
    life = Life(locked())
    life.store("t2", locked(), workspace_id=STRANGER.workspace_id)
    life.agents.plan("a", ACCEPTED, ACCEPTED)
    life.start()
    life.start("t2", STRANGER)
    life.work()
    assert life.agents.called("a") == 2


def test_as_many_as_there_are_permits_work_at_once_and_all_in_turn() -> None:
    life = Life(locked(permits=3))
    life.agents.plan("a", *[ACCEPTED] * 10)
    runs = [life.start() for _ in range(10)]
    for round_ in range(1, 11):
        life.work()
        at_work = [run for run in runs if life.statuses(run)["a"] == "awaiting_agent"]
        assert len(at_work) == min(3, 11 - round_)
        assert at_work == runs[round_ - 1:round_ + 2]  # in the order in which they came
        finish(life, at_work[0])
    both_end(life, *runs)


def test_a_block_keeps_it_while_it_waits_for_a_retry() -> None:
    life = Life(locked(), block("b", "a"))
    life.agents.plan("a", BUSY)
    first = life.start()
    life.work()
    second = life.start()
    life.work()
    assert (life.statuses(first)["a"], life.block(second, "a").waits_for) == ("retry_wait", NAME)
    life.pass_time(LEASE)
    assert life.agents.called("a") == 1
    life.pass_time(HOUR)
    both_end(life, first, second)


def test_a_lost_worker_leaves_it_to_who_has_the_block_next() -> None:
    life = Life(locked())
    runs = [life.start(), life.start()]
    message = life.messages.popleft()
    assert life.dies(lambda: life.engine.blocks.run(message), 7)
    assert life.block(runs[0], "a").status is B.RUNNING
    life.work()
    assert life.block(runs[1], "a").waits_for == NAME
    assert life.agents.called("a") <= 1
    both_end(life, *runs)
    assert life.block(runs[0], "a").lost_leases == 1


@pytest.mark.parametrize("mode", CancelMode)
def test_a_cancel_gives_back_what_the_block_held(mode: CancelMode) -> None:
    life, first, second = two_runs()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=first, mode=mode))
    assert [message.execution_id for message in life.messages] == [second]
    life.ends(first, S.CANCELLED)
    both_end(life, second)


def test_a_cancel_takes_out_of_the_queue() -> None:
    life, first, second = two_runs()
    third = life.start()
    life.work()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=second))
    finish(life, first)
    assert life.statuses(third)["a"] == "completed"
    life.ends(second, S.CANCELLED, a="cancelled")
    both_end(life, first, third)
    assert life.agents.called("a") == 2


def test_a_restart_gives_back_what_the_old_epoch_held_and_the_new_one_waits_in_turn() -> None:
    life, first, second = two_runs()
    life.agents.plan("a", ACCEPTED)
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=first, from_block="a"))
    life.work()
    assert (life.statuses(second)["a"], life.block(first, "a").epoch) == ("awaiting_agent", 2)
    assert life.block(first, "a").waits_for == NAME
    finish(life, second)
    both_end(life, first, second)


def test_a_skip_gives_it_back() -> None:
    life, first, second = two_runs()
    life.engine.interventions.skip(OPERATOR, SkipBlock(execution_id=first, block_id="a"))
    life.work()
    assert life.statuses(second)["a"] == "completed"
    both_end(life, first, second)


def test_who_is_paused_keeps_what_it_has_begun_with_and_no_place_in_the_queue() -> None:
    life, first, second = two_runs()
    third = life.start()
    life.work()
    life.pause(second)
    finish(life, first)
    assert (life.statuses(third)["a"], life.statuses(second)["a"]) == ("completed", "ready")
    life.engine.holds.resume(OPERATOR, second)
    both_end(life, first, second, third)


def test_a_pause_that_comes_between_claim_and_queue_is_complete() -> None:
    life, _, _ = two_runs()
    third = life.start()
    message = life.messages.popleft()
    life.permits.queue(NAME, Claimant(workspace_id=WORKSPACE, execution_id="gone", block_id="a", epoch=1),
                       life.clock.now())
    take = life.permits.take

    def pausing(*args: Any) -> bool:
        life.pause(third)
        return take(*args)

    life.permits.take = pausing  # type: ignore[method-assign, assignment]
    life.engine.blocks.run(message)
    life.engine.finisher.flush()
    assert life.of(third).status is S.PAUSED


def test_a_block_that_is_handed_back_keeps_it() -> None:
    life = Life(locked())
    runs: list[str] = []

    def work() -> Mapping[str, Any]:
        life.engine.handing_back.hand_back_all()
        runs.append(life.start())
        life.engine.blocks.run(life.messages.pop())
        assert life.block(runs[1], "a").waits_for == NAME
        return {"value": "done"}

    life.agents.plan("a", work)
    runs.append(life.start())
    life.engine.blocks.run(life.messages.popleft())
    both_end(life, *runs)
    assert life.agents.called("a") == 2


@pytest.mark.parametrize("last", range(1, 60))
def test_whoever_dies_at_any_call_everybody_has_a_turn(last: int) -> None:
    """The worker of two executions dies before one of its calls; both come to their end, one after the other."""
    life = Life(locked("a"), locked("b", "a"), block("c", "b"))
    at_work: list[str] = []
    most = []

    def work() -> Mapping[str, Any]:
        at_work.append("a")
        most.append(len(at_work))
        if life.messages and len(at_work) == 1:
            life.engine.blocks.run(life.messages.popleft())
        at_work.pop()
        return {"value": "done"}

    life.agents.plan("a", *[work] * 4)
    runs = [life.start(), life.start(), life.start()]
    died = life.dies(life.work, last)
    at_work.clear()
    life.pass_time(LEASE * 4)
    for run in runs:
        for name in "ab":
            if life.statuses(run)[name] == "awaiting_agent":  # it was at work when its caller died
                life.agents.service.finish("echo", life.block(run, name).key, {"value": "done"})
    both_end(life, *runs)
    assert set(most) == {1}
    assert died or last > 40


def test_a_place_that_was_lost_is_found_by_the_sweep() -> None:
    life, first, second = two_runs()
    life.permits.unqueue(NAME, life.permits.everything()[0].waiting[0])
    life.clock.advance(LEASE)
    life.sweep()
    assert [one.execution_id for one in life.permits.everything()[0].waiting] == [second]
    finish(life, first)
    both_end(life, first, second)


def test_the_sweep_sends_the_first_if_its_message_was_lost() -> None:
    life, first, second = two_runs()
    life.agents.service.finish("echo", life.block(first, "a").key, {"value": "done"})
    life.clock.advance(LEASE)
    life.sweep()
    life.work()
    life.messages.clear()
    both_end(life, first, second)


def test_each_item_of_a_map_is_in_its_own_critical_section() -> None:
    life = Life(locked(name="on ${item.on}", permits=1) | {
        "map": {"items": "input.places"}, "configuration": {"value": "${item.value}"}},
        agent_limits=AgentLimits(agents={"echo": AgentLimit(max_concurrent=2)}))
    for name in "xyz":
        life.agents.plan(name, ACCEPTED)
    run = life.start(places=[{"on": "left", "value": "x"}, {"on": "left", "value": "y"}, {"on": "right", "value": "z"}])
    life.work()
    waiting = [one.waits_for for one in items(life)]
    assert (life.agents.called("a"), sorted(waiting, key=str)) == (2, [None, None, mutex_permits(WORKSPACE, "on left")])
    for _ in range(2):
        for one in items(life):
            if one.status is B.AWAITING_AGENT:
                life.agents.service.finish("echo", one.key, {"value": "done"})
        life.pass_time(LEASE)
    both_end(life, run)
    assert life.agents.called("a") == 3


def items(life: Life) -> list[BlockExecution]:
    """Return the blocks of all items of a map."""
    found = [life.blocks.get(WORKSPACE, f"{child.execution_id}:a") for child in life.runs() if child.parent]
    return [one for one in found if one is not None]


def test_a_critical_section_within_itself_fails_at_once_and_another_does_not() -> None:
    life = Life({"blockId": "a", "dependencies": [], "workflow": {"templateId": "inner"}, "mutex": dict(MUTEX)})
    life.store("inner", locked("b"))
    run = life.start()
    life.ends(run, S.FAILED, a="failed")
    life.store("outer", {"blockId": "a", "dependencies": [], "workflow": {"templateId": "inner"},
                         "mutex": {"name": "other"}})
    both_end(life, life.start("outer"))


def test_agents_are_limited_across_workspaces() -> None:
    life = Life(block("a"), agent_limits=AgentLimits(agents={"echo": AgentLimit(max_concurrent=2)}))
    life.store("t2", block("a"), block("x", agentId="other"), workspace_id=STRANGER.workspace_id)
    life.agents.plan("a", *[ACCEPTED] * 3)
    runs = [life.start(), life.start()]
    theirs = life.start("t2", STRANGER)
    life.work()
    assert (life.agents.called("a"), life.agents.called("x")) == (2, 1)
    waiting = life.blocks.get(STRANGER.workspace_id, f"{theirs}:a")
    assert waiting is not None
    assert waiting.waits_for == agent_permits("echo")
    for run in runs:
        finish(life, run)
    assert life.agents.called("a") == 3


def test_who_waits_for_the_agent_holds_no_mutex_meanwhile() -> None:
    limits = AgentLimits(agents={"echo": AgentLimit(max_concurrent=1)})
    life = Life(block("a"), agent_limits=limits)
    life.store("both", locked("b"))
    life.store("mutex", block("c", agentId="other", mutex=MUTEX))
    life.agents.plan("a", ACCEPTED)
    busy, both = life.start(), life.start("both")
    life.work()
    assert life.block(both, "b").waits_for == agent_permits("echo")
    other = life.start("mutex")
    life.work()
    assert life.statuses(other) == {"c": "completed"}
    finish(life, busy)
    both_end(life, busy, both, other)


def test_two_limits_in_either_order_are_no_deadlock() -> None:
    """One waits for the agent, one for the mutex, and each comes first where the other has to wait."""
    life = Life(block("a", mutex=MUTEX), agent_limits=AgentLimits(default=AgentLimit(max_concurrent=1)))
    life.store("t2", block("a"), block("b", "a", mutex=MUTEX, agentId="other"))
    life.agents.plan("a", *[ACCEPTED] * 6)
    runs = [life.start(name) for _ in range(3) for name in ("t", "t2")]
    for _ in range(8):
        life.work()
        for run in runs:
            if life.statuses(run)["a"] == "awaiting_agent":
                finish(life, run)
    both_end(life, *runs)


@pytest.mark.parametrize("limit", [1, 3, None])
def test_a_changed_limit_holds_for_who_begins_after_it(limit: int | None) -> None:
    life = Life(block("a"), agent_limits=AgentLimits(default=AgentLimit(max_concurrent=2)))
    life.agents.plan("a", *[ACCEPTED] * 5)
    runs = [life.start() for _ in range(5)]
    life.work()
    life.set_limits(AgentLimits(default=AgentLimit(max_concurrent=limit)))
    finish(life, runs[0])
    at_work = [run for run in runs if life.statuses(run)["a"] == "awaiting_agent"]
    assert len(at_work) == {1: 1, 3: 3, None: 4}[limit]
    for run in runs[1:]:
        finish(life, run)
    both_end(life, *runs)


def test_real_threads_never_overlap_more_than_they_may() -> None:
    """Ten executions and eight workers share three permits; the overlaps are counted while the agent is at work."""
    life = Life(locked(permits=3), block("b", "a"))
    lock, at_work, seen = Lock(), [0], []

    def work() -> Mapping[str, Any]:
        with lock:
            at_work[0] += 1
            seen.append(at_work[0])
        sleep(0.01)
        with lock:
            at_work[0] -= 1
        return {"value": "done"}

    life.agents.plan("a", *[work] * 10)
    runs = [life.start() for _ in range(10)]
    busy = [0]

    def worker() -> None:
        while True:
            with lock:
                if not life.messages and not busy[0]:
                    return
                message = life.messages.popleft() if life.messages else None
                busy[0] += message is not None
            if message is not None:
                life.engine.blocks.run(message)
                with lock:
                    busy[0] -= 1

    threads = [Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [life.statuses(run)["a"] for run in runs] == ["completed"] * 10, "no sweep was needed"
    assert max(seen) == 3
    both_end(life, *runs)


def test_blocks_without_a_limit_pay_nothing() -> None:
    life = Life(block("a"), block("b", "a"), agent_limits=AgentLimits(agents={"other": AgentLimit(max_concurrent=1)}))
    life.permits = None  # type: ignore[assignment]
    life.rates = None  # type: ignore[assignment]
    life.set_limits(AgentLimits(agents={"other": AgentLimit(max_concurrent=1, rate_per_minute=1)}))
    run = life.start()
    life.work()
    assert life.of(run).status is S.COMPLETED
