"""Closing: noticing that all blocks of an execution have ended, that nothing runs any more, or that all is parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow_service.domain import approval as approvals
from workflow_service.domain import execution as executions
from workflow_service.domain import wait as waits
from workflow_service.domain.blocks import BlockExecution, failures
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import PARKED, ApprovalStatus, BlockStatus, ExecutionStatus
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock
from workflow_service.services.stores import Stores

_TRIES = 5
"""How often a change is tried against others; then the sweep tries again."""
_ACTIVE = frozenset({BlockStatus.READY, BlockStatus.RUNNING, BlockStatus.RETRY_WAIT})


class Closing:
    """Brings an execution to the status that its blocks call for."""

    def __init__(self, stores: Stores, finisher: Finisher, clock: Clock) -> None:
        """Close executions of these stores."""
        self._stores = stores
        self._finisher = finisher
        self._clock = clock

    def settle(self, plan: Plan, workspace_id: str, execution_id: str) -> None:
        """Close the execution if all its blocks have ended, or show that it is paused or waits.

        The execution is read before its blocks are looked at, and changes only if its version (and so its generation
        and hold number) has not moved on since.
        """
        for _ in range(_TRIES):
            execution = self._stores.executions.get(workspace_id, execution_id)
            if execution is None or execution.status.is_terminal:
                return
            after = self._settled(plan, execution)
            if after is None:
                return
            if self._stores.executions.change(execution, after):
                self._after(after)
                return

    def withdraw_requests(self, execution: Execution, epochs: Mapping[str, int] | None = None) -> None:
        """End the open waits and approvals of an execution that has ended.

        Args:
            epochs: if given, only those of these blocks from epochs before theirs (a restart).
        """
        for wait in self._stores.waits.open_of(execution.workspace_id, execution.execution_id):
            if epochs is not None and wait.epoch >= epochs.get(wait.block_id, 0):
                continue
            over = waits.cancel(wait, self._clock.now())
            if self._stores.waits.change(wait, over):
                self._finisher.rest(over)
        status = ApprovalStatus.CANCELLED if epochs is None else ApprovalStatus.SUPERSEDED
        for approval in self._stores.approvals.pending(execution.workspace_id, roles=None, block_id=None, type=None,
                                                       execution_id=execution.execution_id, limit=10_000):
            if epochs is not None and approval.epoch >= epochs.get(approval.block_id, 0):
                continue
            withdrawn = approvals.withdraw(approval, status, self._clock.now())
            if self._stores.approvals.change(approval, withdrawn):
                self._finisher.rest(withdrawn)

    def _settled(self, plan: Plan, execution: Execution) -> Execution | None:
        """Return the execution in the status that its blocks call for; None if it has that status."""
        open_block = self._stores.blocks.first_open(execution.workspace_id, execution.execution_id, plan.ends_first)
        if open_block is None and execution.restart_targets is None:
            blocks = self._all(plan, execution)
            if len(blocks) < len(plan.nodes) or not all(block.status.is_terminal for block in blocks):
                return None
            return executions.close(execution, *_outcome(execution, blocks), self._clock.now())
        found = {block.status for block in self._all(plan, execution)}
        if execution.status is ExecutionStatus.PAUSING and BlockStatus.RUNNING not in found:
            return executions.paused(execution, self._clock.now())
        all_parked = bool(found & PARKED) and not found & _ACTIVE
        if execution.status is ExecutionStatus.RUNNING and not execution.holds and all_parked:
            return executions.rest(execution, self._clock.now())
        return None

    def _all(self, plan: Plan, execution: Execution) -> Sequence[BlockExecution]:
        return self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, plan.ends_first)

    def _after(self, execution: Execution) -> None:
        if execution.status.is_terminal:
            self.withdraw_requests(execution)
        self._finisher.rest(execution, urgent=True)


def _outcome(execution: Execution,
             blocks: Sequence[BlockExecution]) -> tuple[ExecutionStatus, Mapping[str, Any] | None]:
    """Return how an execution whose blocks have all ended ends, and why if it did not end well."""
    if execution.status is ExecutionStatus.CANCELLING:
        return (ExecutionStatus.FAILED if execution.error else ExecutionStatus.CANCELLED), execution.error
    failed = failures(blocks)
    if failed:
        return ExecutionStatus.FAILED, {**(failed[0].error or {}), "blockId": failed[0].block_id}
    return ExecutionStatus.COMPLETED, None
