"""The work that is measured, the same for everybody: shapes of steps that do nothing, and how many of them run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

LAYERED: Mapping[int, tuple[int, ...]] = {
    0: (), 1: (0,), 2: (0,), 3: (0,), 4: (0,),
    5: (4,), 6: (0,), 7: (1,), 8: (0, 1, 2), 9: (1, 2),
    10: (6,), 11: (5, 9), 12: (9,), 13: (7, 8), 14: (6, 7),
    15: (4, 10, 12), 16: (11,), 17: (10, 13), 18: (1, 12, 14), 19: (3, 15, 16, 17, 18)}
"""20 steps, 34 edges, 6 levels; it can't be written as steps in line and side by side alone."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Which step comes after which; steps are numbered from 0, and each comes after those that it needs."""

    name: str
    """Such as ``line:50``, ``fan:100``, ``layered``, ``gate`` or ``told``."""
    predecessors: Mapping[int, tuple[int, ...]]

    @property
    def size(self) -> int:
        """How many steps there are."""
        return len(self.predecessors)

    @cached_property
    def successors(self) -> Mapping[int, tuple[int, ...]]:
        """The steps right after each."""
        return {step: tuple(after for after, before in self.predecessors.items() if step in before)
                for step in self.predecessors}

    @cached_property
    def levels(self) -> Sequence[Sequence[int]]:
        """The steps at each distance from the start."""
        level: dict[int, int] = {}
        for step, before in self.predecessors.items():
            level[step] = 1 + max((level[one] for one in before), default=-1)
        return [[step for step, own in level.items() if own == wanted] for wanted in range(max(level.values()) + 1)]


@lru_cache(maxsize=64)
def shape_of(name: str) -> Shape:
    """Return a shape by its name.

    Raises:
        ValueError: there is no such shape.
    """
    kind, _, size = name.partition(":")
    makers = {"line": _line, "flow": _line, "fan": _fan, "slots": _fan, "slow": _fan}
    if kind in makers:
        return Shape(name=name, predecessors=makers[kind](int(size)))
    fixed: dict[str, Mapping[int, tuple[int, ...]]] = {"layered": LAYERED, "gate": _line(2), "told": _line(1)}
    if name not in fixed:
        raise ValueError(f"There is no shape {name!r}.")
    return Shape(name=name, predecessors=fixed[name])


def step_result(step: int) -> dict[str, Any]:
    """Return what a step gives: about 100 bytes of JSON."""
    return {"block": step, "status": "ok", "output": "x" * 60}


def _line(size: int) -> Mapping[int, tuple[int, ...]]:
    return {step: (step - 1,) if step else () for step in range(size)}


def _fan(width: int) -> Mapping[int, tuple[int, ...]]:
    """Return one step, then many side by side, then one that joins them."""
    return {0: (), **{step: (0,) for step in range(1, width + 1)}, width + 1: tuple(range(1, width + 1))}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Executions of one shape, all submitted at once."""

    name: str
    title: str
    shape: str
    count: int = 1
    """How many executions."""
    ours_alone: bool = False
    """Whether only the service knows the difference to another workload."""
    repeats: int = 1
    """How often it runs in a round, as it is short; the median counts."""

    @property
    def steps(self) -> int:
        """How many steps all executions have together."""
        return self.count * shape_of(self.shape).size


WAITING = "W8"
"""Steps that take a second and no processor."""


def workloads(*, is_quick: bool) -> Sequence[Workload]:
    """Return what is timed by the step: W1 to W4 with variants, W6 and W8.

    Args:
        is_quick: smaller, to see that everything works.
    """
    many, waits, sizes = (40, 100, (10, 100)) if is_quick else (200, 1000, (10, 100, 1000))
    return [
        Workload(name="W1", title="50 steps in line", shape="line:50", repeats=3),
        Workload(name="W1x", title="W1, each step reading the output of the one before", shape="flow:50",
                 ours_alone=True, repeats=3),
        Workload(name="W2", title="1, then 100 side by side, then 1", shape="fan:100"),
        Workload(name="W2s", title="W2 with at most 10 at once, as is usual", shape="slots:100", ours_alone=True),
        Workload(name="W3", title=f"{many} executions of 5 steps in line", shape="line:5", count=many),
        Workload(name="W4", title="20 steps in 6 levels with 34 edges", shape="layered", repeats=5),
        Workload(name=WAITING, title=f"{waits} steps of a second", shape=f"slow:{waits}", ours_alone=True),
        *(Workload(name="W6line", title=f"{size} steps in line", shape=f"line:{size}") for size in sizes),
        *(Workload(name="W6fan", title=f"{size} steps side by side", shape=f"fan:{size}") for size in sizes)]


STARTS = "W5"
"""From submitting an execution to its first step running, one after the other."""
PARKED = "W7"
"""Executions that wait for a person after their first step; then all of them are answered."""


def start_count(*, is_quick: bool) -> int:
    """Return how many starts W5 has."""
    return 10 if is_quick else 50


def parked_count(*, is_quick: bool) -> int:
    """Return how many executions are parked in W7."""
    return 100 if is_quick else 1000
