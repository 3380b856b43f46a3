"""The compiler: template -> plan, and ready blocks -> segments. Pure.

Measured reasons for its limits: a chain carries the rest of itself in every message (quadratic bytes), nested chords
can deadlock, and a long array of pending edges is slow to update. So chains are short, chords are one level deep, and
a join of many edges becomes a tree of joins. The canvas only saves time: whatever it loses, the sweep sends again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from workflow_service.domain import edges
from workflow_service.domain.plan import Fan, Line, Node, Plan, Segment
from workflow_service.domain.routing import USUAL
from workflow_service.domain.template import Template

MAX_JOIN_EDGES = 64
"""More edges than this into one block are cut into a tree of joins."""
MAX_RUN_BLOCKS = 20
"""The most blocks that one task runs one after the other."""
MAX_LINE_RUNS = 20
"""The most tasks in one chain."""


def compile_template(template: Template) -> Plan:
    """Return the plan of a template that passed ``validation``."""
    before = edges.predecessors(template.blocks)
    targets = {block_id: block_id for block_id in before}
    for block_id in list(before):
        _cut_join(block_id, before, targets)
    after = edges.successors(before)
    blocks = {block.block_id: block for block in template.blocks}
    nodes = {node_id: Node(node_id=node_id, predecessors=before[node_id], successors=after[node_id],
                           block=blocks.get(node_id), target=targets[node_id])
             for node_id in edges.topological(before)}
    levels = _levels(nodes)
    return Plan(template=template, nodes=nodes, next_in_run=_runs(nodes), width=_width(nodes),
                levels=len(levels), widest_level=max(levels.values()))


def segments(plan: Plan, ready: Iterable[str]) -> tuple[Segment, ...]:
    """Cut blocks that are ready now into what is sent: a line each, or a fan of those that can go together.

    Args:
        ready: blocks that became ready at the same moment.
    """
    lines = tuple(_line(plan, block_id) for block_id in ready)
    if len(lines) < 2:
        return lines
    return (Fan(lines=lines, join=_join_of(plan, lines)),)


def _cut_join(block_id: str, before: edges.Graph, targets: dict[str, str]) -> None:
    """Put joins between a block and its predecessors until none has more than ``MAX_JOIN_EDGES`` of them.

    A block that begins before all of them are decided never has more (``flow.MAX_EARLY_JOIN_EDGES``).
    """
    level = 0
    while len(before[block_id]) > MAX_JOIN_EDGES:
        joins = []
        for number, names in enumerate(_slices(before[block_id], MAX_JOIN_EDGES)):
            join_id = f"{block_id}~{level}~{number}"
            before[join_id], targets[join_id] = names, block_id
            joins.append(join_id)
        before[block_id] = tuple(joins)
        level += 1


def _slices(names: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    return (names[start:start + size] for start in range(0, len(names), size))


def _runs(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Return for each block the one that the same task goes on with."""
    following: dict[str, str] = {}
    length: dict[str, int] = {}
    for node_id, node in nodes.items():
        length.setdefault(node_id, 1)
        if _goes_on(node, nodes) and _stays(node, nodes) and length[node_id] < MAX_RUN_BLOCKS:
            following[node_id] = node.successors[0]
            length[node.successors[0]] = length[node_id] + 1
    return following


def _goes_on(node: Node, nodes: Mapping[str, Node]) -> bool:
    """Say whether work goes on in a straight line after this node: one way on, one way in, nobody asked."""
    if len(node.successors) != 1 or node.is_join or _branches(node):
        return False
    following = nodes[node.successors[0]]
    return len(following.predecessors) == 1 and not following.is_join and not following.has_gate


def _stays(node: Node, nodes: Mapping[str, Node]) -> bool:
    """Say whether the only successor goes the same way to its workers, so that who has this one may have it as well."""
    return nodes[node.successors[0]].route == node.route


def _branches(node: Node) -> bool:
    return node.block is not None and bool(edges.branch_targets(node.block) | edges.failure_targets(node.block))


def _line(plan: Plan, block_id: str) -> Line:
    runs = [plan.run_from(block_id)]
    while len(runs) < MAX_LINE_RUNS and _goes_on(plan.nodes[runs[-1][-1]], plan.nodes):
        runs.append(plan.run_from(plan.nodes[runs[-1][-1]].successors[0]))
    return _routed(plan, runs)


def _routed(plan: Plan, runs: Sequence[tuple[str, ...]]) -> Line:
    routes = tuple(plan.nodes[run[0]].route for run in runs)
    return Line(runs=tuple(runs), routes=routes if set(routes) != {USUAL} else ())


def _join_of(plan: Plan, lines: tuple[Line, ...]) -> Line | None:
    """Return the run of the block that joins exactly these lines; None if there is no such block."""
    ends = [plan.nodes[line.last] for line in lines]
    followers = {successor for end in ends for successor in end.successors}
    if len(followers) != 1 or any(_branches(end) for end in ends):
        return None
    join = plan.nodes[followers.pop()]
    if join.is_join or join.is_early or join.has_gate or set(join.predecessors) != {end.node_id for end in ends}:
        return None
    return _routed(plan, [plan.run_from(join.node_id)])


def _levels(nodes: Mapping[str, Node]) -> dict[int, int]:
    """Return how many nodes stand at each distance from the start."""
    level: dict[str, int] = {}
    counts: dict[int, int] = {}
    for node_id, node in nodes.items():
        level[node_id] = 1 + max((level[name] for name in node.predecessors), default=0)
        counts[level[node_id]] = counts.get(level[node_id], 0) + 1
    return counts


def _width(nodes: Mapping[str, Node]) -> int:
    """Return a bound of the number of blocks that can run at once.

    By Dilworth's theorem no antichain is larger than any cover of the nodes by chains; this counts a greedy cover.
    """
    chained: set[str] = set()
    chains = 0
    for node in nodes.values():
        free = next((name for name in node.predecessors if name not in chained), None)
        if free is None:
            chains += 1
        else:
            chained.add(free)
    return chains
