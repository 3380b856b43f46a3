"""The rules of a template that its structure can't show: graph, branches, expressions, agents.

Each rule yields every fault that it finds, so an author sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflow_service.domain import edges, expressions
from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import ExpressionError, Issue
from workflow_service.domain.flow_validation import flow_issues
from workflow_service.domain.ids import is_id
from workflow_service.domain.reachability import reachability_issues
from workflow_service.domain.sources import sources
from workflow_service.domain.template import Block, Conditions, ConditionType, Template

_MOST_ALLOWED = 50
"""Of the names that an issue lists as right."""
MOST_DEPENDENCIES = 50_000
"""Of all blocks of a template together."""
MOST_EXPRESSION_TEXT = 200_000
"""Characters of all texts with expressions, and conditions, of a template together."""


def size_issues(document: Any) -> tuple[Issue, ...]:
    """Return what is too much of a template document, whatever else it is: checking it all would take minutes."""
    blocks = document.get("blocks") if isinstance(document, Mapping) else None
    if not isinstance(blocks, list):
        return ()
    found = [block for block in blocks if isinstance(block, Mapping)]
    dependencies = sum(len(names) for names in (block.get("dependencies") for block in found)
                       if isinstance(names, list))
    characters = sum(_length(block.get("configuration"), "${") + _length(block.get("conditions"), "")
                     for block in found)
    counts = [("dependencies", dependencies, MOST_DEPENDENCIES),
              ("characters in expressions", characters, MOST_EXPRESSION_TEXT)]
    return tuple(Issue(path="blocks", code="too_large", message=f"It has {count} {what}; {most} are allowed.",
                       allowed=(f"at most {most}",)) for what, count, most in counts if count > most)


def _length(value: Any, mark: str) -> int:
    """Return how many characters the texts within a value have that hold a mark."""
    pending, total = [value], 0
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            total += len(item) if mark in item else 0
        elif isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return total


def template_issues(template: Template, agents: Mapping[str, Agent] | None) -> tuple[Issue, ...]:
    """Return all faults of a template whose structure is right.

    Args:
        agents: the registry by id; None when it can't be asked now, then agents are not checked.
    """
    graph = [*_identity_issues(template), *_graph_issues(template)]
    issues = [*graph, *_condition_issues(template), *flow_issues(template), *_agent_issues(template, agents)]
    if not graph:  # what a block may read is only known in a sound graph
        issues += [*_expression_issues(template), *reachability_issues(template)]
    return tuple(issues)


def _identity_issues(template: Template) -> Iterator[Issue]:
    """Yield ids that are none, or not unique; a schema's pattern lets a line end at the end of a text pass."""
    ids = [("templateId", template.template_id), *((f"blocks[{index}].blockId", block.block_id)
                                                   for index, block in enumerate(template.blocks))]
    yield from (Issue(path=path, code="bad_id", message="An id holds nothing but letters, digits, _ and -.")
                for path, name in ids if not is_id(name))
    if template.version != template.version.strip():
        yield Issue(path="version", code="bad_version", message="A version holds nothing but digits and dots.")
    first: dict[str, int] = {}
    for index, block in enumerate(template.blocks):
        if block.block_id in first:
            yield Issue(path=f"blocks[{index}].blockId", code="duplicate_block",
                        message=f"'{block.block_id}' is the id of blocks[{first[block.block_id]}] already.")
        first.setdefault(block.block_id, index)


def _graph_issues(template: Template) -> Iterator[Issue]:
    known = {block.block_id for block in template.blocks}
    allowed = tuple(sorted(known)[:_MOST_ALLOWED])  # once: there may be thousands of faults among thousands of blocks
    for index, block in enumerate(template.blocks):
        for place, name in enumerate(block.dependencies):
            if name not in known:
                yield _unknown_block(f"blocks[{index}].dependencies[{place}]", name, allowed)
        for path, name in _branch_names(block, index):
            if name not in known:
                yield _unknown_block(path, name, allowed)
    circle = edges.cycle(edges.predecessors(template.blocks))
    if circle:
        yield Issue(path="blocks", code="cycle", message="The blocks wait for each other: " + " -> ".join(circle) + ".")


def _branch_names(block: Block, index: int) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(block.on_failure.next_blocks):
        yield f"blocks[{index}].onFailure.nextBlocks[{place}]", name
    if block.conditions is None:
        return
    for number, branch in enumerate(block.conditions.branches):
        for place, name in enumerate(branch.next_blocks):
            yield f"blocks[{index}].conditions.branches[{number}].nextBlocks[{place}]", name


def _unknown_block(path: str, name: str, allowed: tuple[str, ...]) -> Issue:
    return Issue(path=path, code="unknown_block", message=f"There is no block '{name}' in this template.",
                 allowed=allowed)


def _condition_issues(template: Template) -> Iterator[Issue]:
    for index, block in enumerate(template.blocks):
        if block.conditions is not None:
            path = f"blocks[{index}].conditions"
            guard = block.conditions.type is ConditionType.GUARD
            yield from _guard_issues(block.conditions, path) if guard else _choice_issues(block.conditions, path)


def _guard_issues(conditions: Conditions, path: str) -> Iterator[Issue]:
    if conditions.expression is None:
        yield Issue(path=f"{path}.expression", code="required", message="A guard needs an expression.")
    if conditions.branches:
        yield Issue(path=f"{path}.branches", code="not_allowed",
                    message="A guard has no branches; use type exclusive or inclusive.")


def _choice_issues(conditions: Conditions, path: str) -> Iterator[Issue]:
    if not conditions.branches:
        yield Issue(path=f"{path}.branches", code="required", message="A branching block needs at least one branch.")
    if sum(branch.is_default for branch in conditions.branches) > 1:
        yield Issue(path=f"{path}.branches", code="several_defaults", message="Only one branch can be the default.")
    for number, branch in enumerate(conditions.branches):
        if branch.is_default == (branch.condition is not None):
            yield Issue(path=f"{path}.branches[{number}].condition", code="condition_or_default",
                        message="A branch has either a condition or 'default: true'.")


def _agent_issues(template: Template, agents: Mapping[str, Agent] | None) -> Iterator[Issue]:
    if agents is None:
        return
    known = tuple(sorted(agents)[:_MOST_ALLOWED])
    for index, block in enumerate(template.blocks):
        if block.agent_id is None:
            continue
        agent = agents.get(block.agent_id)
        if agent is None:
            yield Issue(path=f"blocks[{index}].agentId", code="unknown_agent",
                        message=f"The Agent Service has no agent '{block.agent_id}'.", allowed=known)
            continue
        if block.tool_type not in agent.tool_types:
            yield Issue(path=f"blocks[{index}].toolType", code="tool_type_not_offered",
                        message=f"The agent '{block.agent_id}' has no tool of type '{block.tool_type}'.",
                        allowed=agent.tool_types)
        if block.agent_type not in (None, agent.type):
            yield Issue(path=f"blocks[{index}].agentType", code="wrong_agent_type",
                        message=f"The agent '{block.agent_id}' is of another type.", allowed=(agent.type,))


def _expression_issues(template: Template) -> Iterator[Issue]:
    before = edges.predecessors(template.blocks)
    masks = edges.ancestors(before)
    bit = {block_id: 1 << position for position, block_id in enumerate(edges.topological(before))}
    for index, block in enumerate(template.blocks):
        readable = masks[block.block_id]
        for place, source, extra in sources(block):
            path = f"blocks[{index}].{place}"
            yield from _source_issues(path, source, (*expressions.VARIABLES, *extra))
            for name in sorted(expressions.block_names(source)):
                if not bit.get(name, 0) & readable:
                    yield Issue(path=path, code="not_before", message=f"'{name}' is no block that comes before "
                                f"'{block.block_id}', so its output can't be read here.")
    for place, source in expressions.placeholders(template.output or {}):
        yield from _source_issues(f"output.{place}", source, expressions.VARIABLES)
        for name in sorted(expressions.block_names(source) - set(masks)):
            yield _unknown_block(f"output.{place}", name, tuple(sorted(masks)[:_MOST_ALLOWED]))


def _source_issues(path: str, source: str, variables: tuple[str, ...]) -> Iterator[Issue]:
    try:
        named = expressions.free_names(source)
    except ExpressionError as error:
        yield Issue(path=path, code="bad_expression", message=f"This is no CEL: {error}")
        return
    for name in named:
        if name not in variables:
            yield Issue(path=path, code="unknown_variable", message=f"The expression names '{name}'.",
                        allowed=variables)
