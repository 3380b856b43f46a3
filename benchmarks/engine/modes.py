"""Whose cost is measured: the service in some variants, bare canvases, and the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.engine import addresses, celery_canvas, floor
from benchmarks.engine.workloads import PARKED, STARTS, Workload

FLOOR = "floor"
OURS = "ours"
_TIMED = frozenset({"W1", "W2", "W3", "W4", "W6line", "W6fan"})
PROCESSES = 2
"""Worker processes of each mode."""
IN_FLIGHT = 200
"""Calls of agents at once, where these take their time."""


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One way to run the workloads."""

    name: str
    title: str
    app: str
    """The module of the workers' Celery app."""
    driver: str
    queue: str
    workloads: frozenset[str]
    pool: Sequence[str] = ("--pool", "prefork", "--concurrency", str(PROCESSES))
    nodes: int = 1
    """How many workers are started; one of the prefork pool has several processes."""
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = False
    is_whole: bool = False
    """Whether repair and the API run as well."""

    def runs(self, workload: Workload) -> bool:
        """Say whether a workload is for this mode."""
        return workload.name in self.workloads


def _ours(name: str, title: str, workloads: frozenset[str], environment: Mapping[str, str], *,
          is_whole: bool = False, threads: int | None = 8) -> Mode:
    """Return a variant of the service.

    Args:
        threads: of each of two processes; None for the prefork pool.
    """
    pool = ("--pool", "threads", "--concurrency", str(threads)) if threads else Mode.pool
    return Mode(name=name, title=title, app="benchmarks.engine.our_worker", driver="benchmarks.engine.our_driver",
                queue="blocks", workloads=workloads, environment=environment, is_ours=True, is_whole=is_whole,
                pool=pool, nodes=PROCESSES if threads else 1)


def _waiting(name: str, pool: str) -> Mode:
    """Return the service with one worker that keeps ``IN_FLIGHT`` calls of agents in flight."""
    usual = _ours(name, f"one worker of the {pool} pool, {IN_FLIGHT} calls at once, agents of a second over HTTP",
                  frozenset({"W8"}), {addresses.AGENT: "slow"}, is_whole=True)
    return replace(usual, pool=("--pool", pool, "--concurrency", str(IN_FLIGHT)), nodes=1)


def _canvas(name: str, title: str, environment: Mapping[str, str]) -> Mode:
    return Mode(name=name, title=title, app="benchmarks.engine.celery_canvas", driver="benchmarks.engine.canvas_driver",
                queue=celery_canvas.QUEUE, workloads=_TIMED | {STARTS}, environment=environment)


MODES: Mapping[str, Mode] = {mode.name: mode for mode in (
    _ours(OURS, "the service: agent in the worker, State Management Service over HTTP, repair running",
          _TIMED | {"W1x", "W2s", STARTS, PARKED}, {}, is_whole=True),
    _ours("ours-http", "the same with the Agent Service over HTTP", frozenset({"W1", "W3"}), {addresses.AGENT: "http"}),
    _ours("ours-no-state", "the same with a State Management Service in the worker: no checkpoint leaves it",
          frozenset({"W1", "W2", "W3", "W4"}), {addresses.STATE: "memory"}),
    _ours("ours-prefork", "the same in two processes of the prefork pool", frozenset({"W1", "W2", "W3", "W4"}), {},
          threads=None),
    _waiting("ours-waiting", "threads"), _waiting("ours-gevent", "gevent"),
    _canvas("canvas", "Celery canvases as they are by default", {}),
    _canvas("canvas-late", "Celery canvases whose messages are acknowledged late", {addresses.LATE: "1"}),
    Mode(name=FLOOR, title="a message and an insert for each step", app="benchmarks.engine.floor",
         driver="benchmarks.engine.floor_driver", queue=floor.QUEUE, workloads=_TIMED | {STARTS, PARKED}))}
USUAL = (OURS, "ours-http", "ours-waiting", "canvas", "canvas-late", FLOOR)
