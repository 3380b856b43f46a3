"""What has happened in this process since it began, counted for those who watch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock


def _tell_nobody() -> None:
    """Nobody watches."""


class Count:
    """A number that grows; any thread may add to it."""

    def __init__(self, tell: Callable[[], None] = _tell_nobody) -> None:
        """Begin at zero.

        Args:
            tell: is called each time it has grown; does not raise.
        """
        self._value = 0
        self._lock = Lock()
        self._tell = tell

    @property
    def value(self) -> int:
        """How often it has happened."""
        return self._value

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self._value += 1
        self._tell()


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The counts of one process."""

    leases_lost: Count = field(default_factory=Count)
    """Blocks that another owns, or that were cancelled, while this process still worked on them."""
    results_dropped: Count = field(default_factory=Count)
    """Outcomes that came when the block was no longer this process's."""
    blocks_handed_back: Count = field(default_factory=Count)
    """Blocks that others were given because this process had to end."""
