"""Cancelling: nothing starts any more, what runs may end, everything else ends now, and then the execution closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import IllegalTransition, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Cancellation:
    """Cancels executions."""

    def __init__(self, stores: Stores, plans: Plans, closing: Closing, finisher: Finisher, clock: Clock,
                 timings: Timings) -> None:
        """Cancel executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def cancel(self, user: User, execution_id: str) -> Execution:
        """Cancel an execution because somebody asks for it; asking again changes nothing.

        Raises:
            NotFound: the workspace has no such execution.
            IllegalTransition: it has ended.
        """
        while True:
            execution = self._stores.executions.get(user.workspace_id, execution_id)
            if execution is None:
                raise NotFound("execution", execution_id)
            if execution.status.is_terminal:
                raise IllegalTransition("execution", execution_id, execution.status.value, "cancelling")
            if execution.status is ExecutionStatus.CANCELLING or self.begin(execution, None, user.name):
                return execution

    def time_out(self, execution: Execution) -> None:
        """End an execution whose time-out is over."""
        error = {"code": "execution_timed_out", "message": "The execution took longer than its time-out."}
        self.begin(execution, error, "timed_out")

    def begin(self, execution: Execution, error: Mapping[str, Any] | None, cause: str) -> bool:
        """Write that the execution is cancelled; False if it changed meanwhile."""
        cancelling = executions.cancel(execution, self._clock.now(), error, cause)
        if not self._stores.executions.change(execution, cancelling):
            return False
        self._finisher.rest(cancelling, urgent=True)
        self.carry_out(cancelling)
        return True

    def carry_out(self, execution: Execution) -> None:
        """End all blocks that do not run; the sweep repeats this until nothing is left.

        The execution is read again after its blocks: if it was closed and restarted meanwhile, what was read may be of
        the new generation.
        """
        plan = self._plans.of(execution)
        found = self._all(plan, execution)
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        if now is None or (now.status, now.generation) != (ExecutionStatus.CANCELLING, execution.generation):
            return
        for block in found:
            if block.status.is_terminal or block.status is BlockStatus.RUNNING:
                continue
            over = blocks.cancel(block, self._clock.now(), self._timings.lease, "cancelled")
            if self._stores.blocks.change(block, over):
                self._finisher.rest(over)
        self._closing.settle(plan, execution.workspace_id, execution.execution_id)

    def _all(self, plan: Plan, execution: Execution) -> Sequence[BlockExecution]:
        """Return all blocks; those that are missing, because who started the execution died, are stored first."""
        names = tuple(plan.nodes)
        found = self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names)
        if len(found) == len(names):
            return found
        self._stores.blocks.insert_all(blocks.new_blocks(plan, execution.workspace_id, execution.execution_id,
                                                         self._clock.now(), self._timings.lease))
        return self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names)
