"""A value that is fetched again when it is too old."""

import itertools
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from workflow_service.integrations.cached import Cached


class Source:
    """Counts how often it is asked; its time goes on by hand."""

    def __init__(self) -> None:
        """Begin at time zero."""
        self.time = 0.0
        self.count = 0
        self.is_broken = False

    def fetch(self) -> int:
        """Return the count, or fail."""
        self.count += 1
        if self.is_broken:
            raise ConnectionError
        return self.count

    def now(self) -> float:
        """Return the time."""
        return self.time


def test_a_value_is_used_until_it_is_too_old() -> None:
    source = Source()
    cached = Cached(source.fetch, ttl=timedelta(seconds=5), now=source.now)
    assert source.count == 0
    assert [cached.get(), cached.get()] == [1, 1]
    source.time = 4.9
    assert cached.get() == 1
    source.time = 5.0
    assert cached.get() == 2


def test_a_failure_is_raised_again_until_it_is_too_old() -> None:
    source = Source()
    cached = Cached(source.fetch, ttl=timedelta(seconds=5), now=source.now)
    source.is_broken = True
    with pytest.raises(ConnectionError):
        cached.get()
    source.is_broken = False
    source.time = 4.9
    with pytest.raises(ConnectionError):
        cached.get()
    assert source.count == 1
    source.time = 5.0
    assert cached.get() == 2


def test_a_failure_that_is_raised_again_does_not_grow() -> None:
    source = Source()
    cached = Cached(source.fetch, ttl=timedelta(seconds=5), now=source.now)
    source.is_broken = True
    lengths = []
    for _ in range(3):
        with pytest.raises(ConnectionError) as raised:
            cached.get()
        lengths.append(len(traceback.extract_tb(raised.value.__traceback__)))
    assert source.count == 1
    assert lengths[1] == lengths[2]


def test_an_older_value_stays_while_there_is_no_newer_one() -> None:
    source = Source()
    cached = Cached(source.fetch, ttl=timedelta(seconds=5), now=source.now)
    assert cached.get() == 1
    source.is_broken = True
    for source.time, count in [(5.0, 2), (9.9, 2), (10.0, 3), (14.9, 3), (1000.0, 4)]:
        assert (cached.get(), source.count) == (1, count)
    source.is_broken = False
    source.time = 1004.9
    assert (cached.get(), source.count) == (1, 4)
    source.time = 1005.0
    assert cached.get() == 5


def test_the_pause_after_a_failure_begins_when_it_is_known() -> None:
    source = Source()

    def fetch_slowly() -> int:
        source.time += 3
        return source.fetch()

    cached = Cached(fetch_slowly, ttl=timedelta(seconds=5), now=source.now)
    source.is_broken = True
    for source.time, count in [(0.0, 1), (7.9, 1), (8.0, 2)]:
        with pytest.raises(ConnectionError):
            cached.get()
        assert source.count == count


@pytest.mark.parametrize("is_broken", [False, True])
def test_threads_that_wait_share_what_one_of_them_fetched(is_broken: bool) -> None:
    entered, others_wait, asked = threading.Event(), threading.Event(), threading.Semaphore(0)
    times = itertools.count()
    count = 0

    def fetch() -> int:
        nonlocal count
        count += 1
        entered.set()
        assert others_wait.wait(5)
        if is_broken:
            raise ConnectionError
        return count

    def now() -> float:
        asked.release()
        return float(next(times))

    cached = Cached(fetch, ttl=timedelta(0), now=now)

    def get() -> int | None:
        try:
            return cached.get()
        except ConnectionError:
            return None

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(get)
        assert entered.wait(5)
        others = [pool.submit(get) for _ in range(4)]
        for _ in range(5):
            assert asked.acquire(timeout=5)
        others_wait.set()
        results = [one.result(5) for one in [first, *others]]
    assert count == 1
    assert results == [None if is_broken else 1] * 5
