"""The input of a block: its configuration with every ``${...}`` resolved, and whether its guard lets it run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from workflow_service.domain import expressions
from workflow_service.domain.errors import Unavailable, UnfitInput
from workflow_service.domain.execution import Execution
from workflow_service.domain.flow import MAX_ITEMS, Map
from workflow_service.domain.outcomes import as_read
from workflow_service.domain.plan import Plan
from workflow_service.domain.sources import sources
from workflow_service.domain.template import Block, Conditions, ConditionType
from workflow_service.services.claims import Claim
from workflow_service.services.ports import AgentService
from workflow_service.services.schemas import schema_issues
from workflow_service.services.stores import Stores


class InvalidInput(Exception):
    """Raised when the resolved input does not fit what it is for: the agent's input schema, or a map."""


class Inputs:
    """Resolves inputs and conditions."""

    def __init__(self, stores: Stores, agents: AgentService) -> None:
        """Read outputs from the stores and schemas from the registry."""
        self._stores = stores
        self._agents = agents

    def variables(self, claim: Claim, block: Block) -> dict[str, Any]:
        """Return what the block's expressions read of the execution and of the blocks that they name."""
        return variables_of(self._stores, claim.execution, block)

    def resolve(self, block: Block, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the agent's input; of a map its items, of a loop nothing, as each round has its own.

        Raises:
            ExpressionError: an expression can't be evaluated.
            InvalidInput: the items of a map are no list, or too many.
        """
        if block.map is not None:
            return {"items": _items(block.map, variables)}
        if block.loop is not None:
            return {}
        resolved: dict[str, Any] = expressions.resolve(block.configuration, variables)
        return resolved

    def check(self, block: Block, resolved: Mapping[str, Any]) -> None:
        """Compare an input with the agent's schema; if the registry is away the agent will do so itself.

        Raises:
            InvalidInput: it does not fit.
        """
        if block.has_children:
            return
        issues = schema_issues(self._schema(block.agent_id), resolved)
        if issues:
            raise InvalidInput("; ".join(f"{issue.path or 'input'}: {issue.message}" for issue in issues[:10]))

    def _schema(self, agent_id: str | None) -> Mapping[str, Any]:
        try:
            registry = self._agents.agents()
        except Unavailable:
            return {}
        return next((agent.input_schema for agent in registry if agent.agent_id == agent_id), {})


def variables_of(stores: Stores, execution: Execution, block: Block) -> dict[str, Any]:
    """Return what the expressions of a block read in an execution: of the blocks that they name, those that did their
    work, with its output, and those that failed or were rejected, with the error.
    """
    outer, own = _surroundings(stores, execution)
    names = sorted({name for source in sources(block) for name in expressions.block_names(source.text)})
    found = stores.blocks.get_all(outer.workspace_id, outer.execution_id, names) if names else ()
    return {"input": outer.input, "context": outer.context,
            "blocks": {one.block_id: said for one in found if (said := as_read(one)) is not None}, **own}


def _surroundings(stores: Stores, execution: Execution) -> tuple[Execution, Mapping[str, Any]]:
    """Return the execution of which expressions read input and blocks, and what they know besides: items, rounds.

    Those of a body are the expressions of its parent's block.
    """
    if execution.body is None or execution.parent is None:
        return execution, {}
    parent = stores.executions.get(execution.workspace_id, execution.parent.execution_id)
    if parent is None:
        raise LookupError(f"execution {execution.execution_id} has no parent")
    outer, known = _surroundings(stores, parent)
    return outer, {**known, **execution.input}


def _items(mapped: Map, variables: Mapping[str, Any]) -> list[Any]:
    items = expressions.evaluate(mapped.items, variables)
    if not isinstance(items, list):
        raise InvalidInput(f"map.items: '{mapped.items}' gives {type(items).__name__} where a list is needed.")
    if len(items) > MAX_ITEMS:
        raise InvalidInput(f"map.items: it gives {len(items)} items; {MAX_ITEMS} are allowed.")
    return items


def guard_allows(conditions: Conditions | None, variables: Mapping[str, Any]) -> bool:
    """Say whether the block runs; it does if it has no guard.

    Raises:
        ExpressionError: the guard can't be evaluated.
    """
    if conditions is None or conditions.type is not ConditionType.GUARD or conditions.expression is None:
        return True
    return expressions.evaluate_condition(conditions.expression, variables)


def choose(conditions: Conditions | None, variables: Mapping[str, Any],
           output: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the blocks of the branches that are taken; None if the block does not branch.

    Exclusive: the first branch whose condition is true, else the default, else none. Inclusive: every branch whose
    condition is true, else the default.

    Raises:
        ExpressionError: a condition can't be evaluated.
    """
    if conditions is None or conditions.type is ConditionType.GUARD:
        return None
    known = {**variables, "output": output}
    if conditions.expression is not None:
        known["value"] = expressions.evaluate(conditions.expression, known)
    true = (branch.next_blocks for branch in conditions.branches
            if branch.condition is not None and expressions.evaluate_condition(branch.condition, known))
    taken = list(islice(true, 1) if conditions.type is ConditionType.EXCLUSIVE else true)
    taken = taken or [branch.next_blocks for branch in conditions.branches if branch.is_default][:1]
    return tuple(dict.fromkeys(name for names in taken for name in names))


def check_input(plan: Plan, given: Mapping[str, Any]) -> None:
    """Compare the input of an execution with the input schema of its template.

    Raises:
        UnfitInput: it does not fit.
    """
    issues = schema_issues(plan.template.input_schema, given, "input")
    if issues:
        raise UnfitInput("The input does not fit the input schema of the template.", issues)


def reads_context(plan: Plan) -> bool:
    """Say whether an expression of the template names the shared context."""
    found = (node.block for node in plan.nodes.values() if node.block is not None)
    return any("context" in expressions.free_names(source.text) for block in found for source in sources(block))
