"""Clocks without a store: that of this machine, and one that only a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock

from workflow_service.repositories.instants import cut_instant

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, cut to milliseconds."""
        return cut_instant(datetime.now(UTC))


class VirtualClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, at: datetime = _EPOCH) -> None:
        """Start at an instant."""
        self._lock = Lock()
        self._at = at

    def now(self) -> datetime:
        """Return the instant that it was moved to, cut to milliseconds."""
        with self._lock:
            return cut_instant(self._at)

    def set(self, at: datetime) -> None:
        """Move it to an instant, also back."""
        with self._lock:
            self._at = at

    def advance(self, by: timedelta) -> datetime:
        """Move it by a duration and return the new instant."""
        with self._lock:
            self._at += by
            return cut_instant(self._at)
