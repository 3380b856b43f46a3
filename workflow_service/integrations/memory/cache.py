"""A cache in memory."""

from __future__ import annotations

from datetime import timedelta

from workflow_service.integrations.cache.store import Away


class CacheInMemory:
    """The port ``CacheStore``; nothing in it grows old."""

    def __init__(self) -> None:
        """Start empty."""
        self.kept: dict[str, bytes] = {}
        """What is in it, to be looked at, emptied and spoilt."""
        self.is_away = False
        """True while it does not answer."""

    def read(self, key: str) -> bytes | None:
        """Return what stands under a key."""
        self._answer()
        return self.kept.get(key)

    def write(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Store a value."""
        self._answer()
        self.kept[key] = value

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._answer()
        self.kept.pop(key, None)

    def _answer(self) -> None:
        if self.is_away:
            raise Away
