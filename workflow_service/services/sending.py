"""Sending blocks that became ready to the workers, as segments, and no more than may run at once."""

from __future__ import annotations

from collections.abc import Sequence

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.compiler import segments
from workflow_service.domain.plan import Plan
from workflow_service.services.ports import Dispatch, Dispatcher, ExecutionRepository
from workflow_service.services.timings import Timings


class Sender:
    """Turns ready blocks into dispatches. What is lost on the way, the sweep sends again."""

    def __init__(self, executions: ExecutionRepository, dispatcher: Dispatcher, timings: Timings) -> None:
        """Send through this dispatcher."""
        self._executions = executions
        self._dispatcher = dispatcher
        self._timings = timings

    def slot_limit(self, plan: Plan) -> int | None:
        """Return how many blocks of an execution may run at once; None if its plan is never that wide."""
        limit = plan.template.max_parallel_blocks or self._timings.max_parallel_blocks
        return limit if plan.width > limit else None

    def send(self, plan: Plan, ready: Sequence[BlockExecution], brought: str | None = None) -> bool:
        """Dispatch blocks of one execution that became ready at the same moment.

        More than may ever run at once wait in the execution's slot queue; whoever frees a slot sends them.

        Args:
            brought: a block that the canvas delivers by itself, so nothing is sent for it.

        Returns:
            False if not all could be sent.
        """
        wanted = [block for block in ready if block.block_id != brought]
        if not wanted:
            return True
        first, limit = wanted[0], self.slot_limit(plan)
        if limit is not None and len(wanted) > limit:
            self._executions.queue_blocks(first.workspace_id, first.execution_id,
                                          [block.block_id for block in wanted[limit:]])
            wanted = wanted[:limit]
        return self.send_blocks(plan, first.workspace_id, first.execution_id, [block.block_id for block in wanted],
                                min(block.epoch for block in wanted))

    def send_blocks(self, plan: Plan, workspace_id: str, execution_id: str, block_ids: Sequence[str],
                    epoch: int = 1) -> bool:
        """Dispatch blocks by their ids; False if not all could be sent.

        Args:
            epoch: the least of theirs.
        """
        return self._dispatcher.dispatch([
            Dispatch(workspace_id=workspace_id, execution_id=execution_id, epoch=epoch, segment=segment)
            for segment in segments(plan, block_ids)])
