"""Cells in which a process has another clock than all the others: it is an hour ahead of them, or behind.

The clock is moved under a real process, by libfaketime (Debian: ``faketime``), from its start on. It does not jump
while the process runs: libfaketime would move the monotonic clock with it, which no real clock that is set does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.chaos.matrix.processes import again
from tests.chaos.matrix.scene import Play, Scene

_HOUR_S = 3600


def is_off(process: str, seconds: int) -> Play:
    """Return the cell in which the clock of a process is off by so much."""
    def play(scene: Scene) -> None:
        again(scene.cluster.processes[process], {"LD_PRELOAD": str(_library()), "FAKETIME": f"{seconds:+d}"})
        try:
            scene.begin()
            scene.finish()
        finally:
            scene.revive(process)
    return play


def _library() -> Path:
    """Return the library; skip the cell if it is not installed, and fail it where ``CI`` is set."""
    found = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
    if found:
        return found[0]
    reason = "libfaketime is not installed (Debian: apt-get install faketime)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


CELLS: Mapping[str, Play] = {
    "clock-worker_ahead": is_off("blocks", _HOUR_S),
    "clock-worker_behind": is_off("blocks", -_HOUR_S),
    "clock-control_ahead": is_off("control", _HOUR_S),
    "clock-beat_behind": is_off("beat", -_HOUR_S),
}
