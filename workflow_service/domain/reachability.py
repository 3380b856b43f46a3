"""Blocks of a template that can't begin, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain import edges
from workflow_service.domain.errors import Issue
from workflow_service.domain.flow import BlockKind, FailureAction
from workflow_service.domain.template import Block, ConditionType, Template


def reachability_issues(template: Template) -> Iterator[Issue]:
    """Yield the blocks into which too few ways can ever be taken; those behind one of them are left out.

    Args:
        template: one whose graph is sound.
    """
    before = edges.predecessors(template.blocks)
    blocks = {block.block_id: block for block in template.blocks}
    begins: dict[str, bool] = {}
    for name in edges.topological(before):
        ways = [one for one in before[name] if begins[one] and _may_lead(blocks[one], name)]
        begins[name] = len(ways) >= min(blocks[name].join_policy.needed or 1, len(before[name]))
    for index, block in enumerate(template.blocks):
        names = before[block.block_id]
        if not begins[block.block_id] and all(begins[name] for name in names):
            ends = [name for name in names if not _may_lead(blocks[name], block.block_id)]
            yield Issue(path=f"blocks[{index}]", code="never_begins", message=f"'{block.block_id}' can never begin: "
                        f"the execution ends with '{ends[0]}'.")


def _may_lead(source: Block, target: str) -> bool:
    """Say whether the edge from a block that begins can be satisfied."""
    if target in edges.failure_targets(source):
        return _may_fail(source)
    if source.kind is not BlockKind.END:
        return True
    return _may_fail(source) and source.on_failure.action is FailureAction.CONTINUE


def _may_fail(block: Block) -> bool:
    """Say whether a block can end badly; to end the execution fails only if a person or an expression is asked first.
    """
    has_guard = block.conditions is not None and block.conditions.type is ConditionType.GUARD
    return block.kind is not BlockKind.END or block.human_in_loop.required or has_guard
