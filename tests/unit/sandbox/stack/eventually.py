"""Waits for something to become true, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

_PATIENCE_S = 20.0


def eventually(condition: Callable[[], bool]) -> bool:
    """Say whether a condition came true in time."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    """Say whether a process has ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
