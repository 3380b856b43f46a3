"""After a failure nobody is asked for a while, and whoever watches is told."""

from __future__ import annotations

from datetime import timedelta

from workflow_service.integrations.breaker import Breaker


def test_it_is_open_for_its_pause_counted_from_the_last_failure() -> None:
    now_s, told = [0.0], list[timedelta]()
    breaker = Breaker(timedelta(seconds=5), lambda: now_s[0], told.append)
    assert not breaker.is_open and not told
    breaker.trip()
    now_s[0] = 3.0
    breaker.trip()
    for now_s[0], is_open in [(3.0, True), (7.9, True), (8.0, False)]:
        assert breaker.is_open is is_open
    assert told == [timedelta(seconds=5)] * 2
