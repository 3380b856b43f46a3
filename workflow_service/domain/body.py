"""The body: the work of a block that is done several times, as a template with this one block.

What is asked and decided once, for the whole of it, stays with the block itself: its order, its branches, its gate and
what its failure means.
"""

from __future__ import annotations

from dataclasses import replace

from workflow_service.domain.children import Body
from workflow_service.domain.flow import FailurePolicy, JoinPolicy
from workflow_service.domain.template import Block, HumanInLoop, Template


def body_of(template: Template, body: Body) -> Template:
    """Return the template of a body (KeyError for an unknown block)."""
    block = _without_maps(template.block(body.block_id), body.level)
    alone = replace(block, dependencies=(), conditions=None, human_in_loop=HumanInLoop(), loop=None,
                    join_policy=JoinPolicy(), on_failure=FailurePolicy())
    return replace(template, blocks=(alone,), input_schema={}, output=None)


def _without_maps(block: Block, levels: int) -> Block:
    for _ in range(levels):
        block = replace(block, map=block.map.inner if block.map is not None else None)
    return block
