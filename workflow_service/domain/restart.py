"""What a restart runs again, what it reuses, and what may happen twice because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.outcomes import is_without_outcome
from workflow_service.domain.plan import Node, Plan
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.template import SideEffects

Found = Mapping[str, BlockExecution]
"""The blocks of an execution as they stand, by block id; those that a newer definition adds are missing."""


@dataclass(frozen=True, kw_only=True)
class RestartPreview:
    """What a restart does."""

    template_version: str
    """The definition that the execution goes on with."""
    runs_again: tuple[str, ...]
    reuses: tuple[str, ...]
    """Blocks whose output stays."""
    asks_again: tuple[str, ...]
    """Blocks for which a person is asked anew."""
    may_repeat: tuple[str, ...]
    """Blocks that ran before and whose side effects may happen a second time."""


def affected(plan: Plan, found: Found, wanted: Iterable[str]) -> frozenset[str]:
    """Return the nodes that are reset when these blocks are to run again.

    Those are the blocks, their descendants, and any predecessor of those that ended without an outcome, with its own
    descendants: nothing else would ever decide their edges.
    """
    reset: set[str] = set()
    names = set(wanted)
    while names:
        reset |= names | {after for name in names for after in plan.descendants(name)}
        names = {before for name in reset for before in plan.nodes[name].predecessors
                 if before not in reset and (before not in found or is_without_outcome(plan, found[before]))}
    return frozenset(reset)


def affected_by_skip(plan: Plan, found: Found, block_id: str) -> frozenset[str]:
    """Return the nodes that are reset when a block's output is supplied: it, and what can go on because of that.

    What waits for another block that ended without an outcome as well stays as it is.
    """
    reset = {block_id}
    for name in plan.descendants(block_id):
        if all(before in reset or not is_without_outcome(plan, found[before])
               for before in plan.nodes[name].predecessors):
            reset.add(name)
    return frozenset(reset)


def failed(plan: Plan, found: Found) -> frozenset[str]:
    """Return the blocks that were cancelled, or failed in a way that the template does not handle."""
    return frozenset(name for name, block in found.items() if name in plan.nodes and is_without_outcome(plan, block))


def changed(before: Plan, after: Plan) -> frozenset[str]:
    """Return the nodes that a newer plan adds or describes otherwise."""
    return frozenset(name for name, node in after.nodes.items() if not _is_same(before.nodes.get(name), node))


def preview(plan: Plan, found: Found, reset: frozenset[str], supplied: Iterable[str] = ()) -> RestartPreview:
    """Say what happens when these nodes are reset.

    Args:
        supplied: those whose output is given, so they do not run.
    """
    blocks = {name: node for name, node in plan.nodes.items() if not node.is_join}
    again = tuple(name for name in blocks if name in reset and name not in set(supplied))
    return RestartPreview(
        template_version=plan.template.version, runs_again=again,
        reuses=tuple(name for name in blocks if name not in reset and name in found
                     and found[name].status is BlockStatus.COMPLETED),
        asks_again=tuple(name for name in again if blocks[name].has_gate),
        may_repeat=tuple(name for name in again if name in found and _may_repeat(blocks[name], found[name])))


def merged(document: Any, patch: Any) -> Any:
    """Return a JSON document with a merge patch applied (RFC 7396): null takes away, objects merge, all else replaces.
    """
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def _is_same(before: Node | None, after: Node) -> bool:
    return before is not None and (before.block, before.predecessors) == (after.block, after.predecessors)


def _may_repeat(node: Node, block: BlockExecution) -> bool:
    if node.block is None or not node.block.kind.acts or node.block.side_effects is not SideEffects.UNSAFE:
        return False
    return block.attempt > 0 or block.epoch > 1
