"""What a plan looks like before anything runs. Pure.

It is shown as if every branch were taken, no guard skipped a block and nothing failed; a block that begins before all
the others have ended begins as early as it may. The estimated duration adds up what blocks took in earlier executions
or, of blocks that have none, what authors wrote down; where nobody knows of one block, no number is made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from workflow_service.domain.compiler import segments
from workflow_service.domain.edges import failure_targets
from workflow_service.domain.flow import BlockKind
from workflow_service.domain.plan import Fan, Line, Node, Plan, Segment
from workflow_service.domain.regions import late_for

Ways = Mapping[str, tuple[str, ...]]
"""Node -> those right before it that lead to it if nothing fails, in topological order."""


_NOTHING_KNOWN: Mapping[str, timedelta] = {}


@dataclass(frozen=True, kw_only=True)
class WavedSegment:
    """A segment, and when its turn comes."""

    wave: int
    """From 1: after everything that the waves before it bring."""
    segment: Segment

    @property
    def lines(self) -> tuple[Line, ...]:
        """What runs side by side; each line is a chain of tasks, each task some blocks one after the other."""
        return (self.segment,) if isinstance(self.segment, Line) else self.segment.lines

    @property
    def join(self) -> Line | None:
        """What runs when all lines have ended, if that is sent with them."""
        return self.segment.join if isinstance(self.segment, Fan) else None


@dataclass(frozen=True, kw_only=True)
class PlanOutline:
    """A plan in the words that people ask about."""

    segments: tuple[WavedSegment, ...]
    critical_path: tuple[str, ...]
    """The way from start to end that takes longest; the one with the most blocks if a duration is not known."""
    widest_level: int
    """How many blocks stand beside each other at most, at one distance from the start."""
    gates: tuple[str, ...]
    """The blocks where a person is asked."""
    only_after_failures: tuple[str, ...]
    """The blocks that run only if another one fails; they have no turn, and no part in any number here."""
    estimated_duration: timedelta | None
    """Of the critical path, or longer where the limit of parallel blocks stretches it; None if not known."""


def outline(plan: Plan, usual: Mapping[str, timedelta] = _NOTHING_KNOWN) -> PlanOutline:
    """Return the outline of a plan.

    Args:
        usual: how long blocks took before, by their ids; of the others the author's guess counts.
    """
    ways = _ways(plan)
    blocks = {node_id: node.block for node_id, node in plan.nodes.items() if node.block is not None and node_id in ways}
    guesses = {name: usual.get(name, block.estimated_duration) for name, block in blocks.items()}
    known = all(guess is not None for guess in guesses.values())
    lengths = {node_id: _length(guesses[node_id], known) if node_id in blocks else timedelta(0) for node_id in ways}
    path, longest = _critical_path(plan, ways, lengths)
    return PlanOutline(
        segments=tuple(_waves(plan, ways)), critical_path=tuple(name for name in path if name in blocks),
        widest_level=_widest_level(plan, ways),
        gates=tuple(node_id for node_id, node in plan.nodes.items() if node.has_gate),
        only_after_failures=tuple(node_id for node_id, node in plan.nodes.items()
                                  if not node.is_join and node_id not in ways),
        estimated_duration=_stretched(plan, longest, sum(lengths.values(), timedelta(0))) if known else None)


def _ways(plan: Plan) -> Ways:
    """Return, for each node that runs if nothing fails, the nodes right before it that lead to it then."""
    found: dict[str, tuple[str, ...]] = {}
    for node_id, node in plan.nodes.items():
        names = tuple(name for name in node.predecessors if name in found and _leads_on(plan.nodes[name], node))
        if names or not node.predecessors:
            found[node_id] = names
    return found


def _leads_on(source: Node, successor: Node) -> bool:
    block = source.block
    return block is None or (block.kind is not BlockKind.END and successor.target not in failure_targets(block))


def _length(guess: timedelta | None, known: bool) -> timedelta:
    """Return how long a block counts: each the same if a duration is not known."""
    return guess if known and guess is not None else timedelta(seconds=1)


def _stretched(plan: Plan, longest: timedelta, work: timedelta) -> timedelta:
    limit = plan.template.max_parallel_blocks
    return longest if limit is None else max(longest, work / limit)


def _critical_path(plan: Plan, ways: Ways, lengths: Mapping[str, timedelta]) -> tuple[list[str], timedelta]:
    ends: dict[str, timedelta] = {}
    came_from: dict[str, str | None] = {}
    for node_id, names in ways.items():
        came_from[node_id] = before = _waited_for(plan.nodes[node_id], names, ends)
        ends[node_id] = lengths[node_id] + (ends[before] if before is not None else timedelta(0))
    withdrawn = {late for node_id in ways for late in late_for(plan, node_id)}
    last: str | None = max((name for name in ends if name not in withdrawn), key=ends.__getitem__)
    longest, path = ends[last or ""], []
    while last is not None:
        path.append(last)
        last = came_from[last]
    return path[::-1], longest


def _waited_for(node: Node, names: Iterable[str], ends: Mapping[str, timedelta]) -> str | None:
    """Return the block whose end lets a node begin: the last before it, or the last of the first that are enough."""
    if not node.is_early:
        return max(names, key=ends.__getitem__, default=None)
    first = sorted(names, key=ends.__getitem__)[:node.needed]
    return first[-1] if first else None


def _widest_level(plan: Plan, ways: Ways) -> int:
    """Return the most blocks at one distance from the start; the compiler's joins are no blocks and no distance."""
    level: dict[str, int] = {}
    counts: dict[int, int] = {}
    for node_id, names in ways.items():
        is_join = plan.nodes[node_id].is_join
        level[node_id] = max((level[name] for name in names), default=0) + (not is_join)
        if not is_join:
            counts[level[node_id]] = counts.get(level[node_id], 0) + 1
    return max(counts.values())


def _waves(plan: Plan, ways: Ways) -> Iterator[WavedSegment]:
    """Yield the segments in the order of their turns, as they would be sent if all of a wave ended together."""
    pending = {node_id: min(plan.nodes[node_id].needed, len(names)) if plan.nodes[node_id].is_early else len(names)
               for node_id, names in ways.items()}
    ready, wave = list(plan.roots), 1
    while ready:
        sent = segments(plan, ready)
        yield from (WavedSegment(wave=wave, segment=segment) for segment in sent)
        ready, wave = _after(plan, ways, pending, [name for segment in sent for name in _blocks(segment)]), wave + 1


def _blocks(segment: Segment) -> Iterator[str]:
    lines = [segment] if isinstance(segment, Line) else [*segment.lines, *([segment.join] if segment.join else [])]
    return (name for line in lines for run in line.runs for name in run)


def _after(plan: Plan, ways: Ways, pending: dict[str, int], ended: list[str]) -> list[str]:
    """Count the ways out of what ended, through joins, and return what is ready then."""
    own, left = set(ended), list(ended)
    found: list[str] = []
    while left:
        source = left.pop(0)
        for name in plan.nodes[source].successors:
            if source not in ways.get(name, ()):
                continue
            pending[name] -= 1
            if pending[name] == 0 and name not in own:
                (left if plan.nodes[name].is_join else found).append(name)
    return found
