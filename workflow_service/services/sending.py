"""Sending blocks that became ready to the workers, as segments."""

from __future__ import annotations

from collections.abc import Sequence

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.compiler import segments
from workflow_service.domain.plan import Plan
from workflow_service.services.ports import Dispatch, Dispatcher


class Sender:
    """Turns ready blocks into dispatches. What is lost on the way, the sweep sends again."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Send through this dispatcher."""
        self._dispatcher = dispatcher

    def send(self, plan: Plan, ready: Sequence[BlockExecution], brought: str | None = None) -> None:
        """Dispatch blocks of one execution that became ready at the same moment.

        Args:
            brought: a block that the canvas delivers by itself, so nothing is sent for it.
        """
        wanted = [block for block in ready if block.block_id != brought]
        if not wanted:
            return
        first = wanted[0]
        self._dispatcher.dispatch([
            Dispatch(workspace_id=first.workspace_id, execution_id=first.execution_id,
                     epoch=min(block.epoch for block in wanted), segment=segment)
            for segment in segments(plan, [block.block_id for block in wanted])])
