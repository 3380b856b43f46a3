"""Retries: which failures are worth another try, how long to wait, and that no number is too large."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_failure
from tests.support.graphs import repeatable
from workflow_service.domain.agents import FailureClass
from workflow_service.domain.retry import backoff, decide_retry
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.template_schema import BACKOFF_STRATEGIES

SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=366)
MILLISECOND = timedelta(milliseconds=1)


def a_policy(**fields: Any) -> RetryPolicy:
    """Return a policy that waits one second at first and a minute at most."""
    return RetryPolicy(**{"initial_delay": SECOND, "max_delay": timedelta(minutes=1), **fields})


@pytest.mark.parametrize(("strategy", "seconds"), [
    ("fixed", [1, 1, 1, 1, 1, 1, 1, 1]), ("linear", [1, 2, 3, 4, 5, 6, 7, 8]),
    ("exponential", [1, 2, 4, 8, 16, 32, 60, 60]), ("jittered", [0.5, 1, 2, 4, 8, 16, 30, 30])])
def test_strategies(strategy: str, seconds: list[float]) -> None:
    policy = a_policy(backoff_strategy=strategy)
    assert [backoff(policy, attempt, 0.5).total_seconds() for attempt in range(1, 9)] == seconds


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_only_the_jittered_strategy_draws(draw: float) -> None:
    assert backoff(a_policy(backoff_strategy="jittered"), 3, draw) == 4 * SECOND * draw
    assert backoff(a_policy(backoff_strategy="exponential"), 3, draw) == 4 * SECOND


def test_a_first_delay_above_the_cap_is_cut() -> None:
    policy = a_policy(initial_delay=timedelta(hours=1))
    assert backoff(policy, 1, 0) == backoff(policy, 9, 0) == policy.max_delay


@pytest.mark.parametrize(("conditions", "code", "failure_class", "again"), [
    (("transient",), "busy", "transient", True),
    (("transient",), "busy", "agent", False),
    (("busy",), "busy", "agent", True),
    (("busy",), "busier", "agent", False),
    (("critical", "configuration"), "x", "configuration", True),
    (("other", "transient"), "busy", "transient", True),
    ((), "busy", "transient", False)])
def test_conditions_name_codes_or_classes(conditions: tuple[str, ...], code: str, failure_class: str,
                                          again: bool) -> None:
    failure = a_failure(code=code, failure_class=FailureClass(failure_class))
    assert (decide_retry(a_policy(retry_conditions=conditions), failure, 1, 0) is not None) == again


@pytest.mark.parametrize(("retries", "attempt", "again"), [(3, 1, True), (3, 3, True), (3, 4, False), (0, 1, False),
                                                           (1, 2, False), (100, 100, True)])
def test_retries_are_counted(retries: int, attempt: int, again: bool) -> None:
    assert (decide_retry(a_policy(max_retries=retries), a_failure(), attempt, 0) is not None) == again


@pytest.mark.parametrize(("retry_after_s", "waits_s"), [(None, 2), (0, 2), (1, 2), (5, 5), (600, 600)])
def test_an_agent_may_ask_for_more_time_but_not_for_less(retry_after_s: float | None, waits_s: float) -> None:
    wanted = None if retry_after_s is None else timedelta(seconds=retry_after_s)
    decision = decide_retry(a_policy(), a_failure(retry_after=wanted), 2, 0)
    assert decision is not None
    assert decision.delay.total_seconds() == waits_s


def test_a_decision_says_why() -> None:
    decision = decide_retry(a_policy(max_retries=5), a_failure(), 2, 0)
    assert decision is not None
    assert decision.reason == "transient: retry 2 of 5"


@repeatable
@given(st.sampled_from(BACKOFF_STRATEGIES), st.timedeltas(MILLISECOND, LONGEST), st.timedeltas(MILLISECOND, LONGEST),
       st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_no_delay_is_negative_or_above_the_cap(strategy: str, initial: timedelta, most: timedelta, attempt: int,
                                               draw: float) -> None:
    policy = RetryPolicy(backoff_strategy=strategy, initial_delay=initial, max_delay=most)
    assert timedelta() <= backoff(policy, attempt, draw) <= most


@repeatable
@given(st.sampled_from(["fixed", "linear", "exponential"]), st.timedeltas(MILLISECOND, LONGEST),
       st.timedeltas(MILLISECOND, LONGEST), st.integers(1, 200))
def test_delays_never_shrink(strategy: str, initial: timedelta, most: timedelta, attempt: int) -> None:
    policy = RetryPolicy(backoff_strategy=strategy, initial_delay=initial, max_delay=most)
    assert backoff(policy, attempt, 0) <= backoff(policy, attempt + 1, 0)


def test_exponential_delays_reach_the_cap_within_the_retries_that_a_template_may_have() -> None:
    policy = RetryPolicy(backoff_strategy="exponential", initial_delay=MILLISECOND, max_delay=LONGEST)
    assert backoff(policy, 100, 0) == LONGEST
