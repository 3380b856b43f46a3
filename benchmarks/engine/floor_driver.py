"""The driver of the floor."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import redis

from benchmarks.engine import addresses
from benchmarks.engine.driving import Ends, Timing, serve
from benchmarks.engine.floor import app, step

_PAUSE_S = 0.02


class FloorDriver:
    """Sends first steps."""

    def __init__(self) -> None:
        """Connect."""
        url = addresses.address(addresses.BROKER)
        self._ends, self._redis = Ends(url), redis.Redis.from_url(url)
        self._parked: list[str] = []

    def run(self, shape: str, count: int) -> Timing:
        """Run executions of a shape."""
        self._ends.forget()
        began = time.perf_counter()
        for _ in range(count):
            step.apply_async((uuid.uuid4().hex, shape, 0))
        submitted = time.perf_counter() - began
        self._ends.wait(addresses.ENDED, count)
        timing = Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)
        self._forget_counts()
        return timing

    def starts(self, count: int) -> Sequence[float]:
        """Return how long each start took, in seconds."""
        self._ends.forget()
        taken = []
        for _ in range(count):
            time.sleep(_PAUSE_S)
            began = time.time()
            step.apply_async((uuid.uuid4().hex, "told", 0))
            taken.append(float(self._ends.wait(addresses.BEGAN)[0]) - began)
            self._ends.wait(addresses.ENDED)
        return taken

    def park(self, count: int) -> Timing:
        """Run the first steps of executions that then wait."""
        self._ends.forget()
        self._parked = [uuid.uuid4().hex for _ in range(count)]
        began = time.perf_counter()
        for run in self._parked:
            step.apply_async((run, "gate", 0, True))
        submitted = time.perf_counter() - began
        self._ends.wait(addresses.PARKED, count)
        return Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)

    def resume(self) -> Timing:
        """Send the last steps of those that wait."""
        began = time.perf_counter()
        for run in self._parked:
            step.apply_async((run, "gate", 1))
        submitted = time.perf_counter() - began
        self._ends.wait(addresses.ENDED, len(self._parked))
        timing = Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)
        self._forget_counts()
        return timing

    def settle(self) -> None:
        """Do nothing: the floor has no background."""

    def _forget_counts(self) -> None:
        for kind in ("result", "count"):
            names = list(self._redis.scan_iter(f"{kind}:*", count=1000))
            for start in range(0, len(names), 500):
                self._redis.delete(*names[start:start + 500])


if __name__ == "__main__":
    with app.connection_for_write():
        serve(FloorDriver())
