"""The retry policy decides whether a failed attempt is followed by another, and when. It decides; services act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workflow_service.domain.agents import Failure
from workflow_service.domain.template import RetryPolicy


@dataclass(frozen=True, kw_only=True)
class RetryDecision:
    """Try again after this long."""

    delay: timedelta
    reason: str


def decide_retry(policy: RetryPolicy, failure: Failure, attempt: int, draw: float) -> RetryDecision | None:
    """Decide whether an attempt that failed is followed by another.

    Args:
        attempt: the number of the attempt that failed, from 1.
        draw: a number drawn from [0, 1) for the jittered strategy (the domain draws none itself).

    Returns:
        None when the failure is not worth another try, or all retries are used up.
    """
    matched = next((word for word in policy.retry_conditions if word in (failure.code, failure.failure_class)), None)
    if matched is None or attempt > policy.max_retries:
        return None
    delay = max(backoff(policy, attempt, draw), failure.retry_after or timedelta())
    return RetryDecision(delay=delay, reason=f"{matched}: retry {attempt} of {policy.max_retries}")


def backoff(policy: RetryPolicy, attempt: int, draw: float) -> timedelta:
    """Return the delay after an attempt by the policy's strategy.

    ``jittered`` draws evenly from zero to the exponential delay ("full jitter", Amazon Builders' Library, *Timeouts,
    retries and backoff with jitter*).
    """
    factor: int = {"fixed": 1, "linear": attempt}.get(policy.backoff_strategy, 2 ** min(attempt - 1, 64))
    delay = policy.initial_delay * min(factor, policy.max_delay // policy.initial_delay + 1)
    delay = min(delay, policy.max_delay)
    return delay * draw if policy.backoff_strategy == "jittered" else delay
