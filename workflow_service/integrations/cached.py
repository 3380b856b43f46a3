"""A value that is fetched again when it is too old, by one thread at a time; while it can't be, the old one stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Cached(Generic[T]):
    """Keeps what a function returned for a while."""

    def __init__(self, fetch: Callable[[], T], *, ttl: timedelta, now: Callable[[], float] = time.monotonic) -> None:
        """Take the function; it is not called yet.

        Args:
            fetch: gives the value, or raises.
            ttl: how long a value is used.
            now: the seconds of a clock that never goes back.
        """
        self._fetch = fetch
        self._ttl = ttl.total_seconds()
        self._now = now
        self._lock = Lock()
        self._value: tuple[float, T] | None = None
        self._failure: tuple[float, Exception] | None = None

    def get(self) -> T:
        """Return the value; whatever the function raises is raised, unless there is an older value."""
        asked = self._now()
        found = self._value
        if found is not None and asked - found[0] < self._ttl:
            return found[1]
        with self._lock:
            return self._get_alone(asked)

    def _get_alone(self, asked: float) -> T:
        """Return the value that another thread fetched since we asked, or fetch it."""
        if self._value is not None and (self._value[0] >= asked or asked - self._value[0] < self._ttl):
            return self._value[1]
        # threads that queued up behind a service that is down share one failure; else the last would wait for all
        if self._failure is not None and self._failure[0] > asked - self._ttl:
            return self._older(self._failure[1])
        try:
            value = self._fetch()
        except Exception as error:
            self._failure = (self._now(), error)
            return self._older(error)
        self._value = (self._now(), value)
        return value

    def _older(self, error: Exception) -> T:
        if self._value is None:
            raise error.with_traceback(None)  # else it grows with everybody who gets the same one
        return self._value[1]
