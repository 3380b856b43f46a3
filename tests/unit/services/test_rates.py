"""Rates of agents: who is over it waits without a worker until the instant that it was promised, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.services.lives import BUSY, LEASE, OPERATOR, Life, S, block
from tests.unit.services.test_permits import both_end, locked
from workflow_service.domain.commands import CancelExecution
from workflow_service.domain.limits import AgentLimit, AgentLimits
from workflow_service.domain.rates import WINDOW

SECOND = timedelta(seconds=1)


def paced(*blocks: dict[str, object], per_minute: int = 2, at_once: int | None = None) -> Life:
    """Return a life in which the agent may be called so often."""
    return Life(*blocks, agent_limits=AgentLimits(agents={"echo": AgentLimit(
        rate_per_minute=per_minute, max_concurrent=at_once)}))


def step(life: Life, times: int, by: timedelta = SECOND) -> None:
    """Let time pass with a sweep after each step."""
    for _ in range(times):
        life.clock.advance(by)
        life.sweep()
        life.work()


def test_who_is_over_the_rate_is_due_when_it_may_start() -> None:
    life = paced(block("a"))
    runs = [life.start() for _ in range(5)]
    life.work()
    assert [life.statuses(run)["a"] for run in runs] == ["completed"] * 2 + ["ready"] * 3
    waiting = [life.block(run, "a") for run in runs[2:]]
    assert [one.attempt for one in waiting] == [0] * 3
    assert all(one.due_at == one.starts_at and one.starts_at is not None for one in waiting)
    spread = [one.starts_at - waiting[0].starts_at for one in waiting if one.starts_at and waiting[0].starts_at]
    assert spread == [timedelta(0), WINDOW / 2, WINDOW]


def test_all_start_at_their_instant_with_one_claim_each() -> None:
    life = paced(block("a"))
    runs = [life.start() for _ in range(8)]
    life.work()
    step(life, 250)
    both_end(life, *runs)
    begun = sorted(effect.started for effect in life.agents.effects)
    assert all(later - earlier >= WINDOW for earlier, later in zip(begun, begun[2:], strict=False))
    assert begun[-1] - begun[0] < 4 * WINDOW
    assert max(life.block(run, "a").fence for run in runs) <= 3


def test_a_message_that_comes_early_changes_nothing() -> None:
    life = paced(block("a"), per_minute=1)
    runs = [life.start(), life.start()]
    life.work()
    promised = life.block(runs[1], "a").starts_at
    life.pause(runs[1])
    life.engine.holds.resume(OPERATOR, runs[1])
    life.work()
    assert life.block(runs[1], "a").starts_at == promised
    assert life.agents.called("a") == 1
    step(life, 62)
    both_end(life, *runs)


def test_who_was_promised_comes_before_who_comes_anew() -> None:
    life = paced(block("a"), per_minute=1)
    runs = [life.start(), life.start()]
    life.work()
    life.clock.advance(WINDOW - SECOND)
    runs.append(life.start())
    life.work()
    life.clock.advance(SECOND)
    life.sweep()
    life.work()
    assert [life.statuses(run)["a"] for run in runs] == ["completed", "completed", "ready"]


def test_each_attempt_counts() -> None:
    life = paced(block("a", retryPolicy={"maxRetries": 2, "backoffStrategy": "fixed", "initialDelay": 1000}),
                 per_minute=1)
    life.agents.plan("a", BUSY)
    run = life.start()
    life.work()
    step(life, 30)
    assert life.agents.called("a") == 1
    step(life, 40)
    assert life.agents.called("a") == 2
    both_end(life, run)


def test_who_waits_for_the_rate_holds_no_permit_meanwhile() -> None:
    life = paced(locked("a"), block("b", agentId="other", mutex={"name": "deploy"}), per_minute=1)
    runs = [life.start(), life.start()]
    life.work()
    assert [life.statuses(run) for run in runs] == [
        {"a": "completed", "b": "completed"}, {"a": "ready", "b": "completed"}]
    step(life, 65)
    both_end(life, *runs)


def test_both_limits_of_an_agent_hold_together() -> None:
    life = paced(block("a"), block("b", "a"), per_minute=3, at_once=1)
    runs = [life.start() for _ in range(4)]
    life.work()
    step(life, 240)
    both_end(life, *runs)
    begun = sorted(effect.started for effect in life.agents.effects)
    assert all(later - earlier >= WINDOW for earlier, later in zip(begun, begun[3:], strict=False))


def test_a_cancel_ends_what_waits_for_the_rate() -> None:
    life = paced(block("a"), per_minute=1)
    runs = [life.start(), life.start()]
    life.work()
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=runs[1]))
    life.ends(runs[1], S.CANCELLED, a="cancelled")
    life.ends(runs[0], S.COMPLETED)


@pytest.mark.parametrize("last", range(1, 40, 3))
def test_whoever_dies_it_is_called(last: int) -> None:
    life = paced(block("a"), per_minute=1, at_once=1)
    runs = [life.start() for _ in range(3)]
    life.dies(life.work, last)
    step(life, 20, LEASE)
    for run in runs:
        if life.statuses(run)["a"] == "awaiting_agent":  # it was at work when its caller died
            life.agents.service.finish("echo", life.block(run, "a").key, {"value": "done"})
    step(life, 20, LEASE)
    both_end(life, *runs)
