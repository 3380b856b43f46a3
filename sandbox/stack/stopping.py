"""Hears that the stack should end: Ctrl-C, a closed terminal, or a request of the system."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequests:
    """As a context manager takes the signals over; to be used in the main thread.

    Plain attributes and no locks, because a handler runs in the midst of whatever the main thread was doing.
    """

    def __init__(self) -> None:
        """Nothing was requested."""
        self._count = 0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def requested(self) -> bool:
        """True from the first signal on."""
        return self._count > 0

    @property
    def urgent(self) -> bool:
        """True when the person asked again: there is no patience left."""
        return self._count > 1

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._before = {sent: signal.signal(sent, self._take) for sent in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Give the signals back."""
        for sent, before in self._before.items():
            signal.signal(sent, before)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
