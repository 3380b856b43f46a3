"""What an execution gives in the end: the output of its template, or of the one block that it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflow_service.domain import expressions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.outcomes import as_read
from workflow_service.domain.statuses import BlockStatus
from workflow_service.services.plans import Plans
from workflow_service.services.stores import Stores


class Results:
    """Reads the results of executions."""

    def __init__(self, stores: Stores, plans: Plans) -> None:
        """Read them from these stores."""
        self._stores = stores
        self._plans = plans

    def of(self, execution: Execution) -> dict[str, Any]:
        """Return the output of an execution that completed.

        Without an output of its template it is that of its last blocks, by their ids, as far as they completed.

        Raises:
            ExpressionError: the output of the template can't be evaluated.
        """
        plan = self._plans.of(execution)
        if execution.body is not None:
            return self._outputs(execution, [execution.body.block_id]).get(execution.body.block_id, {})
        template = plan.template
        if template.output is None:
            return self._outputs(execution, [name for name, node in plan.nodes.items() if not node.successors])
        named = {name for _, source in expressions.placeholders(template.output)
                 for name in expressions.block_names(source)}
        found = {block.block_id: said for block in self._blocks(execution, sorted(named))
                 if (said := as_read(block)) is not None}
        resolved: dict[str, Any] = expressions.resolve(template.output, {
            "input": execution.input, "context": execution.context, "blocks": found})
        return resolved

    def _outputs(self, execution: Execution, names: list[str]) -> dict[str, dict[str, Any]]:
        return {block.block_id: dict(block.output or {}) for block in self._blocks(execution, names)
                if block.status is BlockStatus.COMPLETED}

    def _blocks(self, execution: Execution, names: list[str]) -> Sequence[BlockExecution]:
        return self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names) if names else ()
