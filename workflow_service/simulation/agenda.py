"""What is to happen at virtual instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

Action = Callable[[], None]


class Agenda:
    """Actions by their instants; those of one instant in the order in which they were noted."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[tuple[datetime, int, Action]] = []
        self._numbers = count()

    def note(self, at: datetime, action: Action) -> None:
        """Let something happen at an instant."""
        heappush(self._entries, (at, next(self._numbers), action))

    @property
    def next_instant(self) -> datetime | None:
        """When the next of them happens; None if there is none."""
        return self._entries[0][0] if self._entries else None

    def take(self, now: datetime) -> Action | None:
        """Return the first whose instant has come, and forget it; None if there is none."""
        return heappop(self._entries)[2] if self._entries and self._entries[0][0] <= now else None
