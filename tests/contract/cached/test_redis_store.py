"""The cache on a real server: what is kept, and what happens when the server is wrong, slow or gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from redis import Redis

from sandbox.servers.process import RunningServer
from tests.acceptance.stack_folder import eventually
from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.cache.redis_store import PATIENCE, RedisStore
from workflow_service.integrations.cache.store import Away
from workflow_service.integrations.memory.cache import CacheInMemory

_HOUR = timedelta(hours=1)


class HandClock:
    """A clock that the test moves."""

    time_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time_s


@pytest.fixture
def clock() -> HandClock:
    """Time zero."""
    return HandClock()


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f"workflow:test:{uuid4().hex}"


@pytest.fixture
def store(valkey: RunningServer, clock: HandClock) -> Iterator[RedisStore]:
    """The cache, which leaves the server alone for five seconds of the test's clock."""
    store = RedisStore(valkey.url, Breaker(timedelta(seconds=5), clock))
    yield store
    store.close()


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_written_is_read_until_it_is_deleted(store: RedisStore, key: str, in_memory: bool) -> None:
    cache = CacheInMemory() if in_memory else store
    assert cache.read(key) is None
    for value in (b"\x00{}", b"other"):
        cache.write(key, value, _HOUR)
        assert cache.read(key) == value
    cache.delete(key)
    cache.delete(key)
    assert cache.read(key) is None


def test_what_was_kept_for_its_time_is_gone(store: RedisStore, key: str) -> None:
    store.write(key, b"{}", timedelta(milliseconds=50))
    assert eventually(lambda: store.read(key) is None, 10)


def test_a_server_that_was_emptied_is_a_miss(store: RedisStore, valkey: RunningServer, key: str) -> None:
    store.write(key, b"{}", _HOUR)
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
    assert store.read(key) is None


def test_a_key_of_another_type_is_no_reason_to_leave_the_server_alone(store: RedisStore, valkey: RunningServer,
                                                                      key: str) -> None:
    with Redis.from_url(valkey.url) as redis:
        redis.rpush(key, "x")
    with pytest.raises(Away):
        store.read(key)
    assert store.read(f"{key}:other") is None
    store.write(key, b"{}", _HOUR)
    assert store.read(key) == b"{}"


def test_a_frozen_server_is_waited_for_once_and_then_left_alone(store: RedisStore, valkey: RunningServer, key: str,
                                                                clock: HandClock) -> None:
    store.write(key, b"{}", _HOUR)
    assert valkey.process.pid is not None
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        for _ in range(50):
            with pytest.raises(Away):
                store.read(key)
        assert time.monotonic() - began_s < 25 * PATIENCE.total_seconds()  # once, not fifty times
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)
    with pytest.raises(Away):
        store.read(key)  # it would answer, but it is not asked
    clock.time_s = 5.0
    assert store.read(key) == b"{}"


def test_a_server_that_is_gone_is_asked_again_after_the_pause(store: RedisStore, valkey: RunningServer, key: str,
                                                              clock: HandClock) -> None:
    assert store.read(key) is None
    valkey.process.stop()
    try:
        with pytest.raises(Away):
            store.read(key)
        with pytest.raises(Away):
            store.write(key, b"{}", _HOUR)
        with pytest.raises(Away):
            store.delete(key)
    finally:
        valkey.process.start()
    clock.time_s = 5.0
    store.write(key, b"{}", _HOUR)
    assert store.read(key) == b"{}"


def test_an_address_where_nobody_is() -> None:
    store = RedisStore("redis://127.0.0.1:1/0", Breaker(timedelta(seconds=5)))
    with pytest.raises(Away):
        store.read("workflow:x")
