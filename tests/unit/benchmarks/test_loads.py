"""Sending requests and timing them, by a clock that the request itself moves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.figures import Latency
from benchmarks.loads import Effort, Run, Timing, alone, together

SECOND = timedelta(seconds=1)


class Server:
    """Takes a quarter of a second for each request, and refuses every fourth."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked = 0

    def clock(self) -> float:
        return self.now

    def send(self) -> bool:
        self.now += 0.25
        self.asked += 1
        return self.asked % 4 != 0


@pytest.mark.parametrize(("effort", "count"), [
    (Effort(duration=SECOND), 4),
    (Effort(duration=SECOND, at_least=6), 6),
    (Effort(duration=SECOND, at_most=3), 3),
    (Effort(duration=timedelta(0)), 1),
    (Effort(duration=10 * SECOND, until_failure=True), 4),
])
def test_it_goes_on_for_a_while_within_bounds(effort: Effort, count: int) -> None:
    server = Server()
    assert len(alone(server.send, effort, server.clock).timings) == server.asked == count


def test_each_request_is_timed() -> None:
    server = Server()
    run = alone(server.send, Effort(duration=SECOND), server.clock)
    assert run == Run(seconds=1.0, timings=[Timing(seconds=0.25, is_ok=is_ok) for is_ok in (True, True, True, False)])


def test_what_was_refused_is_in_the_times_and_not_in_the_rate() -> None:
    server = Server()
    run = alone(server.send, Effort(duration=2 * SECOND), server.clock)
    assert run.latency == Latency(count=8, p50_ms=250.0, p95_ms=250.0, failed=2)
    assert run.per_second == 3.0


def test_the_requests_of_all_clients_count() -> None:
    servers = [Server(), Server(), Server()]
    run = together([server.send for server in servers], Effort(duration=timedelta(0), at_least=2))
    assert [server.asked for server in servers] == [2, 2, 2]
    assert len(run.timings) == run.succeeded == 6
