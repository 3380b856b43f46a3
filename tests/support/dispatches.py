"""Dispatches of every shape, for tests of what carries them."""

from __future__ import annotations

from collections.abc import Mapping

from workflow_service.domain.compiler import MAX_JOIN_EDGES, MAX_LINE_RUNS
from workflow_service.domain.plan import Fan, Line, Segment
from workflow_service.services.ports import Dispatch


def a_line(*runs: str) -> Line:
    """Return a line; each run is written as the ids of its blocks with blanks between them."""
    return Line(runs=tuple(tuple(run.split()) for run in runs))


def a_fan(*lines: Line, join: str | None = None) -> Fan:
    """Return lines side by side and, if there is one, the run that joins them."""
    return Fan(lines=lines, join=None if join is None else a_line(join))


def a_dispatch(segment: Segment, epoch: int = 1, execution_id: str = "run") -> Dispatch:
    """Return the dispatch of a segment of an execution."""
    return Dispatch(workspace_id="acme", execution_id=execution_id, epoch=epoch, segment=segment)


SHAPES: Mapping[str, Segment] = {
    "task": a_line("a b c"),
    "chain": a_line("a b", "c", "d e"),
    "group": a_fan(a_line("a"), a_line("b c"), a_line("d", "e")),
    "chord": a_fan(a_line("a"), a_line("b c"), a_line("d", "e"), join="f g"),
}
"""A segment of each kind, by the name of its canvas."""
LARGEST: Mapping[str, Segment] = {
    "longest chain": a_line(*(f"{number:0128}" for number in range(MAX_LINE_RUNS))),
    "widest chord": a_fan(*(a_line(f"{number:0128}") for number in range(MAX_JOIN_EDGES)), join="j" * 128),
}
"""The largest segments that there are, of the longest ids."""
