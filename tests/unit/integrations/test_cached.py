"""A value that is fetched again when it is too old."""

import itertools
import threading
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


def test_a_failure_is_not_kept() -> None:
    source = Source()
    cached = Cached(source.fetch, ttl=timedelta(seconds=5), now=source.now)
    source.is_broken = True
    for _ in range(2):
        with pytest.raises(ConnectionError):
            cached.get()
    source.is_broken = False
    assert cached.get() == 3


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
