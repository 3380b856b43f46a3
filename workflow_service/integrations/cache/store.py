"""Where cached values are kept: JSON texts by key, for a while, and never for certain."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Away(Exception):
    """Raised when the cache does not answer, refuses, or is not asked because it did not answer lately."""


class Outcome(StrEnum):
    """How a look into the cache ended."""

    HIT = "hit"
    MISS = "miss"
    STALE = "stale"
    """What is there is older than it may be."""
    WRONG = "wrong"
    """What is there can't be read, or is not what was asked for."""
    AWAY = "away"


class Watch(Protocol):
    """Is told how looks end."""

    def __call__(self, kind: str, outcome: Outcome, /) -> None:
        """Take note; does not raise."""


class CacheStore(Protocol):
    """Texts by key. Each call is bounded to a fraction of a second."""

    def read(self, key: str) -> bytes | None:
        """Return what stands under a key; None if nothing does. Raises Away."""

    def write(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Store a value for a while. Raises Away."""

    def delete(self, key: str) -> None:
        """Forget a value. Raises Away."""
