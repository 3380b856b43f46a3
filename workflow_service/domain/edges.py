"""Edges: who follows whom in a template, and what a block that has ended says to each of its successors.

An edge is *satisfied* when its source completed and, if the source branches, chose it; otherwise it is *dead*. What the
edges of a failed block come to, its failure policy says (``outcomes``). A block whose edges are all decided runs if one
of them is satisfied and is skipped if none is, which makes a merge after a branch work without a rule of its own; a
join policy may let it begin earlier, or ask for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from workflow_service.domain.template import Block, ConditionType

Graph = dict[str, tuple[str, ...]]
"""Block id -> ids of the blocks right before it (or right after it), without repeats, in the author's order."""


def predecessors(blocks: Sequence[Block]) -> Graph:
    """Return for each block the blocks right before it, by dependency or by branch; names of no block are left out."""
    found: dict[str, dict[str, None]] = {block.block_id: {} for block in blocks}
    for block in blocks:
        found[block.block_id].update(dict.fromkeys(name for name in block.dependencies if name in found))
    for block in blocks:
        for target in branch_targets(block) | failure_targets(block):
            if target in found:
                found[target][block.block_id] = None
    return {block_id: tuple(names) for block_id, names in found.items()}


def successors(before: Mapping[str, Iterable[str]]) -> Graph:
    """Return the same graph seen from the other end."""
    after: dict[str, list[str]] = {block_id: [] for block_id in before}
    for block_id, names in before.items():
        for name in names:
            after[name].append(block_id)
    return {block_id: tuple(names) for block_id, names in after.items()}


def branch_targets(block: Block) -> frozenset[str]:
    """Return the blocks that this block's branches name; empty if it does not branch."""
    if block.conditions is None or block.conditions.type is ConditionType.GUARD:
        return frozenset()
    return frozenset(name for branch in block.conditions.branches for name in branch.next_blocks)


def failure_targets(block: Block) -> frozenset[str]:
    """Return the blocks that begin only if this block fails."""
    return frozenset(block.on_failure.next_blocks)


def cycle(before: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the blocks of one cycle in their order, the first one repeated at the end; empty if there is none."""
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def topological(before: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return all blocks, each after those before it."""
    return tuple(TopologicalSorter(before).static_order())


def ancestors(before: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return for each block the set of all blocks before it as a bit mask over ``topological`` positions.

    Masks keep this small: 5,000 blocks take 3 MB where sets would take gigabytes.
    """
    masks: dict[str, int] = {}
    bit: dict[str, int] = {}
    for position, block_id in enumerate(topological(before)):
        bit[block_id] = 1 << position
        mask = 0
        for name in before[block_id]:
            mask |= masks[name] | bit[name]
        masks[block_id] = mask
    return masks
