"""Cached values in Redis.

A cache that does not answer must cost less than it saves: a call takes a fifth of a second at most, and after a failure
nobody asks for some seconds. There are no repetitions within a call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from workflow_service.integrations.breaker import Breaker
from workflow_service.integrations.cache.store import Away

T = TypeVar("T")
PATIENCE = timedelta(milliseconds=200)
"""For connecting, and for each answer."""
PAUSE = timedelta(seconds=5)
"""How long nobody asks after a failure."""


class RedisStore:
    """The port ``CacheStore``. Nothing is connected before it is used."""

    def __init__(self, url: str, breaker: Breaker) -> None:
        """Take the address of Redis and what leaves it alone when it is away."""
        self._redis: Any = Redis.from_url(
            url, socket_timeout=PATIENCE.total_seconds(), socket_connect_timeout=PATIENCE.total_seconds(),
            retry=Retry(NoBackoff(), 0), decode_responses=False)
        self._breaker = breaker

    def read(self, key: str) -> bytes | None:
        """Return what stands under a key."""
        found: bytes | None = self._asked(lambda: self._redis.get(key))
        return found

    def write(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Store a value for a while."""
        self._asked(lambda: self._redis.set(key, value, px=_milliseconds(ttl)))

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._asked(lambda: self._redis.delete(key))

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _asked(self, call: Callable[[], T]) -> T:
        if self._breaker.is_open:
            raise Away
        try:
            return call()
        except ResponseError as error:  # it answers: that a key has another type, that its memory is full
            raise Away from error
        except (RedisError, OSError) as error:
            self._breaker.trip()
            raise Away from error


def _milliseconds(length: timedelta) -> int:
    return max(1, length // timedelta(milliseconds=1))
