"""How long the blocks of a template took, by its last executions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.services.stores import Stores

_MOST_EXECUTIONS = 20
_MOST_BLOCKS = 2000
"""Read for one answer: of a large template fewer executions are looked at."""


class Durations:
    """Reads the durations of blocks."""

    def __init__(self, stores: Stores) -> None:
        """Read them from these stores."""
        self._stores = stores

    def usual(self, workspace_id: str, plan: Plan) -> Mapping[str, timedelta]:
        """Return the median of what each block took in the last executions of the template that completed.

        Blocks that waited for a person, a signal or an instant are left out: that says nothing of the next time.
        """
        names = [node_id for node_id, node in plan.nodes.items() if not node.is_join]
        most = min(_MOST_EXECUTIONS, max(1, _MOST_BLOCKS // len(names)))
        found, _ = self._stores.executions.page(workspace_id, ExecutionFilter(
            statuses=(ExecutionStatus.COMPLETED,), template_id=plan.template.template_id, limit=most))
        took: defaultdict[str, list[timedelta]] = defaultdict(list)
        for execution in found:
            for block in self._stores.blocks.get_all(workspace_id, execution.execution_id, names):
                if block.status is BlockStatus.COMPLETED and block.parked_for is None \
                        and block.started_at is not None and block.completed_at is not None:
                    took[block.block_id].append(block.completed_at - block.started_at)
        return {name: sorted(spans)[len(spans) // 2] for name, spans in took.items()}
