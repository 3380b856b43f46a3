"""Cancelling: nothing starts any more, what runs may end or is stopped, everything else ends now, and then it closes.

An end block does the same by force, and the execution closes as the block says. Whoever was first decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelExecution, CancelMode
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.execution import Execution
from workflow_service.domain.flow import MAX_MAP_WIDTH
from workflow_service.domain.outcomes import end_error, end_of
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.stopping import Stopping
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Cancellation:
    """Cancels executions."""

    def __init__(self, stores: Stores, plans: Plans, stopping: Stopping, closing: Closing, permits: Permits,
                 finisher: Finisher, clock: Clock, timings: Timings) -> None:
        """Cancel executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._stopping = stopping
        self._closing = closing
        self._permits = permits
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def cancel(self, user: User, command: CancelExecution) -> Execution:
        """Cancel an execution because somebody asks for it.

        Asking again changes nothing, except that what still runs is stopped if that is asked for now.

        Raises:
            NotFound: the workspace has no such execution.
            IllegalTransition: it has ended.
        """
        while True:
            execution = self._stores.execution_of(user, command.execution_id)
            if execution.status.is_terminal:
                raise IllegalTransition("execution", command.execution_id, execution.status.value, "cancelling")
            after = self._cancelled(user, execution, command)
            if after is None:
                return execution
            if self._begin(execution, after):
                return self._stores.execution_of(user, command.execution_id)

    def time_out(self, execution: Execution) -> None:
        """End an execution whose time-out is over."""
        error = {"code": "execution_timed_out", "message": "The execution took longer than its time-out."}
        self._begin(execution, executions.cancel(execution, self._clock.now(), error, "timed_out"))

    def give_up(self, execution: Execution, mode: CancelMode = CancelMode.GRACEFUL) -> None:
        """End an execution because what it is a part of does not need it any more."""
        now: Execution | None = execution
        while now is not None and not now.status.is_terminal and now.status is not ExecutionStatus.CANCELLING:
            if self._begin(now, executions.cancel(now, self._clock.now(), None, "parent_gone_on", mode=mode)):
                return
            now = self._stores.executions.get(execution.workspace_id, execution.execution_id)

    def give_up_children(self, workspace_id: str, execution_id: str, block_id: str | None = None,
                         mode: CancelMode = CancelMode.GRACEFUL) -> bool:
        """Cancel the executions right below one; True while one of them has not ended.

        Args:
            block_id: only those of this block; None for all.
        """
        for child in self._children_of(workspace_id, execution_id, block_id):
            self.give_up(child, mode)
        return bool(self._children_of(workspace_id, execution_id, block_id))

    def _children_of(self, workspace_id: str, execution_id: str, block_id: str | None) -> Sequence[Execution]:
        found = self._stores.executions.live_children(workspace_id, execution_id, MAX_MAP_WIDTH)
        return [child for child in found if child.parent and block_id in (None, child.parent.block_id)]

    def end(self, plan: Plan, block: BlockExecution) -> None:
        """End the execution of an end block that completed, once; an execution that is ending already goes on so."""
        while True:
            execution = self._stores.executions.get(block.workspace_id, block.execution_id)
            if execution is None or not _may_be_ended(execution, block):
                return
            end = end_of(plan, block)
            ending = executions.cancel(execution, self._clock.now(), end_error(block.block_id, end),
                                       f"ended_by:{block.block_id}", mode=CancelMode.FORCE, reason=end.message,
                                       ended_by=block.entry)
            if self._begin(execution, ending):
                return

    def carry_out(self, execution: Execution) -> None:
        """End all blocks that do not run or that are to be stopped; the sweep repeats this until nothing is left.

        The execution is read again after its blocks: if it was closed and restarted meanwhile, what was read may be of
        the new generation.
        """
        plan = self._plans.of(execution)
        found = self._all(plan, execution)
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        if now is None or (now.status, now.generation) != (ExecutionStatus.CANCELLING, execution.generation):
            return
        until_s, is_forced = self._stopping.until_s(), now.cancel_mode is CancelMode.FORCE
        self._closing.withdraw_requests(now)  # before children are listed: no further one is opened after that
        has_children = plan.has_children and self.give_up_children(now.workspace_id, now.execution_id,
                                                                   mode=now.cancel_mode)
        for block in found:
            if block.status.is_terminal or (has_children and block.status is BlockStatus.AWAITING_CHILDREN):
                continue
            if self._stopping.may_be_given_up(block, until_s, is_forced=is_forced):
                self._end(plan, block)
        self._closing.withdraw_requests(now)
        self._forget_restart(now, found)
        self._closing.settle(plan, execution.workspace_id, execution.execution_id)

    def _end(self, plan: Plan, block: BlockExecution) -> None:
        over = blocks.cancel(block, self._clock.now(), self._timings.lease, "cancelled")
        if self._stores.blocks.change(block, over):
            self._permits.give_back(plan, over)
            self._finisher.rest(over)

    def _forget_restart(self, execution: Execution, found: Sequence[BlockExecution]) -> None:
        """See to it that no block which the cancel has found ended is reset by a restart that was given up.

        Whoever was about to reset one knows its old version; what they reset before is open and has been ended.
        """
        if not execution.revoked:
            return
        for block in found:
            if block.block_id in execution.revoked and block.status.is_terminal:
                kept = blocks.keep(block, self._clock.now())
                if not self._stores.blocks.change(block, kept):
                    return  # it was reset after all; the sweep comes again and ends it
                self._finisher.relay(kept)
        forgotten = executions.forget_restart(execution, self._clock.now())
        if self._stores.executions.change(execution, forgotten):
            self._finisher.rest(forgotten)

    def _cancelled(self, user: User, execution: Execution, command: CancelExecution) -> Execution | None:
        """Return the execution as the command wants it; None if it is that already."""
        if execution.status is not ExecutionStatus.CANCELLING:
            return executions.cancel(execution, self._clock.now(), None, user.name, mode=command.mode,
                                     reason=command.reason)
        if command.mode is execution.cancel_mode or command.mode is CancelMode.GRACEFUL:
            return None
        return executions.force(execution, self._clock.now(), command.reason, user.name)

    def _begin(self, execution: Execution, cancelling: Execution) -> bool:
        """Write that the execution is cancelled, and carry it out; False if it changed meanwhile."""
        if not self._stores.executions.change(execution, cancelling):
            return False
        self._finisher.rest(cancelling, urgent=True)
        self.carry_out(cancelling)
        return True

    def _all(self, plan: Plan, execution: Execution) -> Sequence[BlockExecution]:
        """Return all blocks; those that are missing, because who started the execution died, are stored first."""
        names = tuple(plan.nodes)
        found = self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names)
        if len(found) == len(names):
            return found
        self._stores.blocks.insert_all(blocks.new_blocks(plan, execution.workspace_id, execution.execution_id,
                                                         self._clock.now(), self._timings.lease))
        return self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names)


def _may_be_ended(execution: Execution, block: BlockExecution) -> bool:
    """Say whether an end block still ends the execution: nobody was first, and it was not this run of it."""
    is_ending = execution.status is ExecutionStatus.CANCELLING or execution.status.is_terminal
    return not is_ending and execution.ended_by != block.entry
