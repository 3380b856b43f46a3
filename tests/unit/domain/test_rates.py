"""Rates: no minute sees more than it may, and nobody waits longer than that takes."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from tests.support.builders import NOW
from workflow_service.domain.rates import WINDOW, Pace, ask

SECOND = timedelta(seconds=1)


class Caller:
    """Asks, and comes again when it was promised to."""

    def __init__(self, per_minute: int) -> None:
        """Keep this rate."""
        self.per_minute = per_minute
        self.pace = Pace()

    def ask(self, at: datetime, *, is_promised: bool = False) -> datetime:
        """Ask for one more."""
        self.pace, later = ask(self.pace, self.per_minute, at, is_promised=is_promised)
        return later


def test_as_many_as_a_minute_may_see_start_at_once() -> None:
    caller = Caller(3)
    assert [caller.ask(NOW) for _ in range(3)] == [NOW] * 3


def test_who_is_over_the_rate_is_promised_an_instant_each_its_own() -> None:
    caller = Caller(3)
    assert [caller.ask(NOW) for _ in range(7)][3:] == [
        NOW + WINDOW, NOW + WINDOW + 20 * SECOND, NOW + WINDOW + 40 * SECOND, NOW + 2 * WINDOW]


def test_who_was_promised_goes_before_who_comes_anew() -> None:
    caller = Caller(1)
    promised = [caller.ask(NOW) for _ in range(3)][1:]
    assert caller.ask(promised[0] - SECOND) == NOW + 3 * WINDOW
    assert caller.ask(promised[0], is_promised=True) == promised[0]
    assert caller.ask(promised[1] + 5 * SECOND, is_promised=True) == promised[1] + 5 * SECOND


def test_who_comes_late_finds_no_room_that_another_has_taken() -> None:
    caller = Caller(1)
    promised = [caller.ask(NOW) for _ in range(3)][1:]
    late = promised[1] + SECOND
    assert caller.ask(late, is_promised=True) == late
    assert caller.ask(late, is_promised=True) == late + WINDOW


def test_after_a_quiet_minute_all_is_as_at_first() -> None:
    caller = Caller(2)
    for _ in range(3):
        caller.ask(NOW)
    later = NOW + 3 * WINDOW
    assert [caller.ask(later), caller.ask(later)] == [later, later]


@pytest.mark.parametrize("seed", range(20))
def test_no_minute_sees_more_and_all_start(seed: int) -> None:
    """Callers come at any time, and come again late by up to ten seconds, as after a sweep."""
    draw = random.Random(seed)
    caller, started = Caller(draw.randint(1, 30)), []
    coming = [(NOW + SECOND * draw.uniform(0, 90), False) for _ in range(80)]
    while coming:
        coming.sort(reverse=True)
        at, is_promised = coming.pop()
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        later = caller.ask(at, is_promised=is_promised)
        if later == at:
            started.append(at)
        else:
            assert later > at
            coming.append((later + SECOND * draw.uniform(0, 10), True))
    assert len(started) == 80
    assert all(later - earlier >= WINDOW
               for earlier, later in zip(started, started[caller.per_minute:], strict=False))
