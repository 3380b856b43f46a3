"""The driver of bare canvases. What is not made of steps in line and side by side runs level by level."""

from __future__ import annotations

import time
from collections.abc import Sequence

import redis
from celery import chain, chord, group
from celery.canvas import Signature

from benchmarks.engine import addresses
from benchmarks.engine.celery_canvas import app, instant, step
from benchmarks.engine.driving import Timing, serve
from benchmarks.engine.workloads import Shape, shape_of

_PAUSE_S = 0.02
_START_S = 20


class CanvasDriver:
    """Sends canvases."""

    def __init__(self) -> None:
        """Connect."""
        self._redis = redis.Redis.from_url(addresses.address(addresses.BROKER))

    def run(self, shape: str, count: int) -> Timing:
        """Run executions of a shape."""
        began = time.perf_counter()
        results = [canvas(shape_of(shape)).apply_async() for _ in range(count)]
        submitted = time.perf_counter() - began
        for result in results:
            result.get(timeout=addresses.PATIENCE_S)
        timing = Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)
        self._forget_results()
        return timing

    def starts(self, count: int) -> Sequence[float]:
        """Return how long each start took, in seconds."""
        taken = []
        for _ in range(count):
            time.sleep(_PAUSE_S)
            began = time.time()
            taken.append(instant.apply_async().get(timeout=_START_S) - began)
        return taken

    def park(self, count: int) -> Timing:
        """Canvases can't wait for anybody."""
        raise NotImplementedError

    def resume(self) -> Timing:
        """Canvases can't wait for anybody."""
        raise NotImplementedError

    def settle(self) -> None:
        """Do nothing: a canvas has no background."""

    def _forget_results(self) -> None:
        names = list(self._redis.scan_iter("celery-task-meta-*", count=1000))
        for start in range(0, len(names), 500):
            self._redis.delete(*names[start:start + 500])


def canvas(shape: Shape) -> Signature:
    """Return the canvas of a shape."""
    first = step.s(None, 0)
    levels = shape.levels[1:]
    if len(levels) == 2 and len(levels[0]) > 1 and len(levels[1]) == 1:
        return chain(first, chord([step.s(one) for one in levels[0]], step.s(levels[1][0])))
    return chain(first, *[step.s(level[0]) if len(level) == 1 else group([step.s(one) for one in level])
                          for level in levels])


if __name__ == "__main__":
    app.set_current()
    serve(CanvasDriver())
