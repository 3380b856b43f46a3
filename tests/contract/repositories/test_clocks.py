"""Clocks: aware, in UTC, cut to milliseconds, and each true to what it follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.contract.repositories.builders import MILLISECOND, NOW, SECOND
from workflow_service.domain.errors import Unavailable
from workflow_service.repositories.memory.clock import SystemClock, VirtualClock
from workflow_service.repositories.mongo.clock import StoreClock
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.services.ports import Clock


@pytest.fixture(params=["system", "virtual", "store"])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    """Each clock in turn."""
    makers: dict[str, Callable[[], Clock]] = {
        "system": SystemClock, "virtual": VirtualClock,
        "store": lambda: StoreClock(request.getfixturevalue("store"))}
    return makers[request.param]()


def test_instants_are_aware_and_cut(any_clock: Clock) -> None:
    for _ in range(5):
        now = any_clock.now()
        assert now.utcoffset() == timedelta()
        assert now.microsecond % 1000 == 0


def test_virtual_clock_moves_only_when_told() -> None:
    clock = VirtualClock(NOW)
    assert clock.now() == clock.now() == NOW
    assert clock.advance(SECOND) == clock.now() == NOW + SECOND
    clock.set(NOW - SECOND + timedelta(microseconds=999))
    assert clock.now() == NOW - SECOND


def test_store_clock_shows_the_time_of_the_server(store: Store) -> None:
    """The server runs on this machine, so both must show the same, but for the way there and the cut."""
    clock = StoreClock(store)
    clock.now()
    before = datetime.now(UTC)
    shown = clock.now()
    after = datetime.now(UTC)
    assert before - 100 * MILLISECOND <= shown <= after + 100 * MILLISECOND


class Readings:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        """Start at an odd reading."""
        self.seconds = 1234.5

    def __call__(self) -> float:
        """Return the reading."""
        return self.seconds


def test_store_clock_counts_on_without_asking(store: Store) -> None:
    readings = Readings()
    clock = StoreClock(store, monotonic=readings)
    first = clock.now()
    readings.seconds += 59
    store.close()
    assert clock.now() - first == 59 * SECOND


def test_store_clock_asks_again_after_a_minute(store: Store) -> None:
    readings = Readings()
    clock = StoreClock(store, monotonic=readings)
    first = clock.now()
    readings.seconds += 3600
    # an hour by the readings, but hardly any time by the server
    assert clock.now() - first < 60 * SECOND


def test_store_clock_goes_on_while_the_server_is_away(store: Store) -> None:
    readings = Readings()
    clock = StoreClock(store, monotonic=readings)
    first = clock.now()
    store.close()
    readings.seconds += 3600
    assert clock.now() - first == 3600 * SECOND


def test_store_clock_without_a_server_says_so(unreachable: Store) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        StoreClock(unreachable).now()
    assert time.monotonic() - started < 5


@pytest.fixture
def unreachable() -> Iterator[Store]:
    """A database at an address where nobody listens."""
    connected = connect("mongodb://127.0.0.1:1/workflow", alias=uuid4().hex,
                        server_selection_timeout=timedelta(milliseconds=100))
    yield connected
    connected.close()
