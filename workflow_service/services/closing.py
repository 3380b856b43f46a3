"""Closing: noticing that all blocks of an execution have ended, that nothing runs any more, or that all is parked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from workflow_service.domain import approval as approvals
from workflow_service.domain import execution as executions
from workflow_service.domain import wait as waits
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.execution import PARENT_HOLD, Execution
from workflow_service.domain.flow import MAX_MAP_WIDTH
from workflow_service.domain.outcomes import ends_execution, outcome
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import PARKED, ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind
from workflow_service.domain.wait import Wait
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock
from workflow_service.services.stores import Stores

_TRIES = 10
"""How often a change is tried against others; then the sweep, which looks at all that run, tries again."""
_MOST_REQUESTS = 10_000
_READ_AT_ONCE = 8
"""So few blocks are read whole to see whether all have ended; among more an open one is found by less."""
_ACTIVE = frozenset({BlockStatus.READY, BlockStatus.RUNNING, BlockStatus.RETRY_WAIT})


class Closing:
    """Brings an execution to the status that its blocks call for."""

    def __init__(self, stores: Stores, finisher: Finisher, clock: Clock,
                 tell_parent: Callable[[Execution], None]) -> None:
        """Close executions of these stores.

        Args:
            tell_parent: takes note that an execution which is a part of another has ended, or is paused.
        """
        self._tell_parent = tell_parent
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
            ended = self._ended(plan, execution)
            after = self._settled(plan, execution, ended)
            if after is None:
                return
            if self._stores.executions.change(execution, after):
                self._after(after, ended)
                if after.status is ExecutionStatus.WAITING:
                    self._rise_if_active(plan, after)
                return

    def withdraw_requests(self, execution: Execution) -> None:
        """End the open waits and approvals of an execution that has ended or is being cancelled.

        The execution is read again after them: if it was restarted meanwhile, they may be of the new epochs.
        """
        waits, approvals = self._open_requests(execution)
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        if now is None or now.generation != execution.generation:
            return
        if now.status is ExecutionStatus.CANCELLING:  # an agent that could not be told may still end its work
            waits = [wait for wait in waits if wait.kind is not WaitKind.AGENT]
        elif not now.status.is_terminal:
            return
        self._withdraw(waits, approvals, ApprovalStatus.CANCELLED)

    def supersede_requests(self, execution: Execution, epochs: Mapping[str, int],
                           status: ApprovalStatus = ApprovalStatus.SUPERSEDED) -> None:
        """End the open waits and approvals that these blocks have from epochs before theirs.

        Args:
            status: what becomes of the approvals.
        """
        waits, approvals = self._open_requests(execution)
        self._withdraw([wait for wait in waits if wait.epoch < epochs.get(wait.block_id, 0)],
                       [approval for approval in approvals if approval.epoch < epochs.get(approval.block_id, 0)],
                       status)

    def _open_requests(self, execution: Execution) -> tuple[Sequence[Wait], Sequence[Approval]]:
        workspace_id, execution_id = execution.workspace_id, execution.execution_id
        return self._stores.waits.open_of(workspace_id, execution_id), self._stores.approvals.pending(
            workspace_id, roles=None, execution_id=execution_id, block_id=None, type=None, limit=_MOST_REQUESTS)

    def _withdraw(self, open_waits: Sequence[Wait], pending: Sequence[Approval], status: ApprovalStatus) -> None:
        for wait in open_waits:
            over = waits.cancel(wait, self._clock.now())
            if self._stores.waits.change(wait, over):
                self._after_wait(over)
        for approval in pending:
            withdrawn = approvals.withdraw(approval, status, self._clock.now())
            if self._stores.approvals.change(approval, withdrawn):
                self._finisher.rest(withdrawn)

    def _after_wait(self, over: Wait) -> None:
        """Leave a wait for signals to the sweep, which lets others have those that were taken for it."""
        if over.kind is WaitKind.SIGNAL:
            self._finisher.relay(over)
        else:
            self._finisher.rest(over)

    def _ended(self, plan: Plan, execution: Execution) -> Sequence[BlockExecution]:
        """Return all blocks of an execution if all have ended; otherwise none."""
        names = (execution.workspace_id, execution.execution_id, plan.ends_first)
        if execution.restart_targets is not None or execution.revoked:
            return ()
        if len(plan.nodes) > _READ_AT_ONCE and self._stores.blocks.first_open(*names) is not None:
            return ()
        found = self._stores.blocks.outlines(*names)
        is_over = len(found) == len(plan.nodes) and all(block.status.is_terminal for block in found)
        return found if is_over else ()

    def _settled(self, plan: Plan, execution: Execution, ended: Sequence[BlockExecution]) -> Execution | None:
        """Return the execution in the status that its blocks call for; None if it has that status.

        Args:
            ended: its blocks if all have ended.
        """
        if ended:
            if execution.status is not ExecutionStatus.CANCELLING and _is_about_to_end(plan, execution, ended):
                return None
            return executions.close(execution, *outcome(plan, execution, ended), self._clock.now())
        if execution.status not in (ExecutionStatus.PAUSING, ExecutionStatus.RUNNING):
            return None
        names = (execution.workspace_id, execution.execution_id, plan.ends_first)
        return self._paused_or_waiting(execution, frozenset(self._stores.blocks.statuses(*names).values()))

    def _paused_or_waiting(self, execution: Execution, found: frozenset[BlockStatus]) -> Execution | None:
        """Return the execution as it is when no block runs, or none can.

        Args:
            found: the statuses of its blocks.
        """
        if execution.status is ExecutionStatus.PAUSING:
            is_at_work = BlockStatus.RUNNING in found or (
                BlockStatus.AWAITING_CHILDREN in found and self._has_children_at_work(execution))
            return None if is_at_work else executions.paused(execution, self._clock.now())
        if execution.is_held or found & _ACTIVE or not found & PARKED:
            return None
        return executions.rest(execution, self._clock.now())

    def _rise_if_active(self, plan: Plan, execution: Execution) -> None:
        """Take waiting back if a block was woken and claimed while we looked: its look saw the execution running."""
        names = (execution.workspace_id, execution.execution_id, plan.ends_first)
        if _ACTIVE & set(self._stores.blocks.statuses(*names).values()):
            risen = executions.rise(execution, self._clock.now())
            if self._stores.executions.change(execution, risen):
                self._finisher.rest(risen)

    def _has_children_at_work(self, execution: Execution) -> bool:
        """Say whether something that is a part of the execution is not paused with it."""
        children = self._stores.executions.live_children(execution.workspace_id, execution.execution_id, MAX_MAP_WIDTH)
        return any(child.status is ExecutionStatus.PAUSING or PARENT_HOLD not in child.holds for child in children)

    def _after(self, execution: Execution, ended: Iterable[BlockExecution]) -> None:
        """Tell of a change.

        Args:
            ended: the blocks if all have ended; those that never parked have asked for nothing.
        """
        if any(block.parked_for is not None for block in ended):
            self.withdraw_requests(execution)
        if execution.parent is not None and execution.status is not ExecutionStatus.WAITING:
            self._tell_parent(execution)  # before it rests: who dies here leaves it due
        self._finisher.rest(execution, urgent=True)


def _is_about_to_end(plan: Plan, execution: Execution, blocks: Iterable[BlockExecution]) -> bool:
    """Say whether the release of an end block is still to come, which ends the execution as the block says."""
    return any(ends_execution(plan, block) and not block.released and block.entry != execution.ended_by
               for block in blocks)
