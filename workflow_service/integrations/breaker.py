"""A breaker: after a failure nobody is asked for a while, so that nobody waits for who is away again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta


def _tell_nobody(pause: timedelta) -> None:
    """Nobody watches."""


class Breaker:
    """Remembers until when somebody is left alone. Threads may share it."""

    def __init__(self, pause: timedelta, monotonic: Callable[[], float] = time.monotonic,
                 tell: Callable[[timedelta], None] = _tell_nobody) -> None:
        """Let all through.

        Args:
            pause: how long nobody asks after a failure.
            monotonic: seconds from a clock that is never set.
            tell: is told the pause whenever one begins; does not raise.
        """
        self._pause = pause
        self._monotonic = monotonic
        self._tell = tell
        self._open_until_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """True while nobody is to ask."""
        return self._monotonic() < self._open_until_s

    def trip(self) -> None:
        """Note a failure."""
        self._open_until_s = self._monotonic() + self._pause.total_seconds()
        self._tell(self._pause)
