"""The plan: the compiled order of work of a template version, free of any framework.

Nodes are the template's blocks and the compiler's own joins. A plan is the same for all executions of a version, so
it is kept in memory and never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from workflow_service.domain.flow import BlockKind
from workflow_service.domain.routing import USUAL, Route
from workflow_service.domain.template import Block, Template


@dataclass(frozen=True, kw_only=True)
class Node:
    """One place in the plan."""

    node_id: str
    predecessors: tuple[str, ...]
    successors: tuple[str, ...]
    block: Block | None
    """What the template says of it; None for a join of the compiler, which nobody runs."""
    target: str
    """The block it stands for: itself, or the block that a join leads to."""

    @property
    def is_join(self) -> bool:
        """True for a join that the compiler made."""
        return self.block is None

    @property
    def is_early(self) -> bool:
        """True when the block may begin before all its edges are decided."""
        return self.block is not None and self.block.join_policy.needed is not None

    @property
    def needed(self) -> int:
        """How many satisfied edges it takes for the block to begin."""
        early = self.block.join_policy.needed if self.block is not None else None
        return min(early or 1, len(self.predecessors))

    @property
    def route(self) -> Route:
        """The way to its workers."""
        return USUAL if self.block is None else self.block.route

    @property
    def may_park(self) -> bool:
        """True when the block may wait for a person, a signal or an instant."""
        return self.has_gate or self.block is not None and self.block.kind in (BlockKind.WAIT, BlockKind.WAIT_FOR)

    @property
    def has_gate(self) -> bool:
        """True when a person is asked before the block runs."""
        return self.block is not None and self.block.human_in_loop.required


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What runs after what, and which blocks one task may run one after the other."""

    template: Template
    nodes: Mapping[str, Node]
    """In topological order."""
    next_in_run: Mapping[str, str]
    """A block and the one that the same task goes on with, without a trip through the broker."""
    width: int
    """No more blocks than this can run at the same time (an upper bound)."""
    levels: int
    """The number of nodes on the longest path."""
    widest_level: int

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The blocks that nothing comes before."""
        return tuple(node_id for node_id, node in self.nodes.items() if not node.predecessors)

    @cached_property
    def may_park(self) -> bool:
        """True when a block may wait for a person, a signal or an instant."""
        return any(node.may_park for node in self.nodes.values())

    @cached_property
    def has_children(self) -> bool:
        """True when a block may have executions of its own."""
        return any(node.block is not None and node.block.has_children for node in self.nodes.values())

    @cached_property
    def ends_first(self) -> tuple[str, ...]:
        """All node ids, last in topological order first: what is open at the end of an execution is found soon."""
        return tuple(reversed(tuple(self.nodes)))

    def run_from(self, block_id: str) -> tuple[str, ...]:
        """Return the blocks that one task runs in place, starting with this one."""
        run = [block_id]
        while run[-1] in self.next_in_run:
            run.append(self.next_in_run[run[-1]])
        return tuple(run)

    def descendants(self, block_id: str) -> tuple[str, ...]:
        """Return all nodes after this one, in topological order."""
        found = {block_id}
        for node_id, node in self.nodes.items():
            if not found.isdisjoint(node.predecessors):
                found.add(node_id)
        return tuple(node_id for node_id in self.nodes if node_id in found and node_id != block_id)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Runs one after the other: each is one task, all together one chain."""

    runs: tuple[tuple[str, ...], ...]
    routes: tuple[Route, ...] = ()
    """The way of each run to its workers; empty if all of them go the usual one."""

    @property
    def first(self) -> str:
        """The block that the line begins with."""
        return self.runs[0][0]

    @property
    def last(self) -> str:
        """The block that the line ends with."""
        return self.runs[-1][-1]


@dataclass(frozen=True, kw_only=True)
class Fan:
    """Lines side by side, and the block that joins exactly these, if there is one."""

    lines: tuple[Line, ...]
    join: Line | None


Segment = Line | Fan
"""The part of a plan that is sent as one canvas."""
