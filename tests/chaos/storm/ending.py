"""Ending an experiment from outside: a request to end must not leave its processes behind."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def end_in_order() -> None:
    """Let SIGTERM end the program like Ctrl-C: what it has started is stopped first."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(_: int, __: FrameType | None) -> None:
    sys.exit(1)
