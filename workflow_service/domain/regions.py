"""Regions of a plan: what leads to one block alone, and what can be reached through one block alone."""

from __future__ import annotations

from workflow_service.domain.flow import Late
from workflow_service.domain.plan import Plan


def leads_only_to(plan: Plan, block_id: str) -> tuple[str, ...]:
    """Return the nodes from which every way goes through a block, the last in topological order first."""
    found: set[str] = set()
    for node_id in plan.ends_first:
        after = plan.nodes[node_id].successors
        if after and all(name == block_id or name in found for name in after):
            found.add(node_id)
    return tuple(name for name in plan.ends_first if name in found)


def reached_only_through(plan: Plan, block_id: str) -> tuple[str, ...]:
    """Return the nodes to which every way goes through a block, the last in topological order first."""
    found: set[str] = set()
    for node_id, node in plan.nodes.items():
        if node.predecessors and all(name == block_id or name in found for name in node.predecessors):
            found.add(node_id)
    return tuple(name for name in plan.ends_first if name in found)


def late_for(plan: Plan, block_id: str) -> tuple[str, ...]:
    """Return what is withdrawn when a block begins: all that leads to it alone, if its join policy says so."""
    block = plan.nodes[block_id].block
    if block is None or block.join_policy.late is not Late.CANCEL:
        return ()
    return leads_only_to(plan, block_id)
