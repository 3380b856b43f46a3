"""Sends requests, one after the other or by several clients at once, and times them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.figures import Latency, percentile

Send = Callable[[], bool]
"""Sends one request and says whether it was answered 2xx."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One request."""

    seconds: float
    is_ok: bool


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured: for a while, but no fewer requests than these, and no more."""

    duration: timedelta
    at_least: int = 1
    at_most: int = 1_000_000
    until_failure: bool = False
    """True to end after the first request that is not answered 2xx."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Requests that were sent, and how long all of it took."""

    timings: Sequence[Timing]
    seconds: float

    @property
    def latency(self) -> Latency:
        """How long they took."""
        milliseconds = [1000 * timing.seconds for timing in self.timings]
        return Latency(count=len(milliseconds), p50_ms=percentile(milliseconds, 0.5),
                       p95_ms=percentile(milliseconds, 0.95), failed=len(milliseconds) - self.succeeded)

    @property
    def succeeded(self) -> int:
        """How many were answered 2xx."""
        return sum(timing.is_ok for timing in self.timings)

    @property
    def per_second(self) -> float:
        """How many were answered 2xx in a second."""
        return self.succeeded / self.seconds


def alone(send: Send, effort: Effort, clock: Callable[[], float] = time.perf_counter) -> Run:
    """Send requests one after the other.

    Args:
        clock: gives seconds.
    """
    began = clock()
    timings: list[Timing] = []
    while len(timings) < effort.at_most and (
            len(timings) < effort.at_least or clock() - began < effort.duration.total_seconds()):
        timings.append(_timed(send, clock))
        if effort.until_failure and not timings[-1].is_ok:
            break
    return Run(timings=timings, seconds=clock() - began)


def together(senders: Sequence[Send], effort: Effort) -> Run:
    """Let several clients send at once, each one after the other."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(senders)) as hands:
        runs = list(hands.map(lambda send: alone(send, effort), senders))
    return Run(timings=[timing for run in runs for timing in run.timings], seconds=time.perf_counter() - began)


def _timed(send: Send, clock: Callable[[], float]) -> Timing:
    began = clock()
    is_ok = send()
    return Timing(seconds=clock() - began, is_ok=is_ok)
