"""Withdrawals: blocks that an execution goes on without, because they are late or an operator takes them out.

What is to be withdrawn is written into the execution first, so that whoever dies leaves it to the sweep. Then each of
the blocks is ended as skipped, one whose agent may be at work after the agent was told; its edges are dead. A restart
that resets a block takes it off the list, so what was written down for one epoch never ends another.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelBlock, CancelMode
from workflow_service.domain.errors import Conflict, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.regions import late_for, reached_only_through
from workflow_service.domain.statuses import ApprovalStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.children import Children
from workflow_service.services.claims import Claim
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.releases import Releases
from workflow_service.services.stopping import Stopping
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_TRIES = 10
"""How often blocks are read again when others change them; then the sweep goes on."""
_NOT_NOW = (ExecutionStatus.PENDING, ExecutionStatus.CANCELLING)


class Withdrawals:
    """Withdraws blocks."""

    def __init__(self, stores: Stores, plans: Plans, stopping: Stopping, releases: Releases,
                 children: Children, closing: Closing, permits: Permits, finisher: Finisher, clock: Clock,
                 timings: Timings) -> None:
        """Withdraw blocks of these stores."""
        self._stores = stores
        self._plans = plans
        self._stopping = stopping
        self._releases = releases
        self._children = children
        self._closing = closing
        self._permits = permits
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def cancel_block(self, user: User, command: CancelBlock) -> Execution:
        """Take a block out of an execution that goes on; with its region, all that is reached through it alone as well.

        Asking again changes nothing.

        Raises:
            NotFound: the workspace has no such execution, or the execution no such block.
            Conflict: all of it has ended, or the execution has ended, is being started, restarted or cancelled.
        """
        while True:
            execution = self._stores.execution_of(user, command.execution_id)
            _check_open(execution)
            still_open = self._still_open(execution, _named(self._plans.of(execution), command))
            if not still_open:
                raise Conflict(f"Block '{command.block_id}' has ended; there is nothing to cancel.")
            if self._begin(execution, still_open, blocks.CANCELLED, by=user.name, reason=command.reason):
                return self._stores.execution_of(user, command.execution_id)

    def withdraw_late(self, claim: Claim) -> None:
        """Withdraw what leads to a claimed block alone, if its join policy says so, as it begins without it.

        The block is read after its execution: a restart that resets it resets what is before it first.
        """
        names = late_for(claim.plan, claim.block.block_id)
        while names:
            execution = self._stores.executions.get(claim.block.workspace_id, claim.block.execution_id)
            stored = self._stores.blocks.get(claim.block.workspace_id, claim.block.id)
            if execution is None or stored is None or stored.epoch != claim.block.epoch or not _goes_on(
                    execution, claim.block.block_id):
                return
            still_open = self._still_open(execution, names)
            if not still_open or self._begin(execution, still_open, blocks.LATE):
                return

    def carry_out(self, execution: Execution) -> None:
        """End what is to be withdrawn; the sweep repeats this until nothing is left.

        The execution is read again after the blocks: what still is on its list has not been reset. Names leave the list
        only if no restart came meanwhile, which may have brought them back.
        """
        plan, until_s = self._plans.of(execution), self._stopping.until_s()
        waits_for_agents: set[str] = set()
        for _ in range(_TRIES):
            found = self._stores.blocks.get_all(execution.workspace_id, execution.execution_id,
                                                tuple(execution.withdrawing))
            now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
            listed = {} if now is None else now.withdrawing
            still_open = {block.block_id: block for block in found
                          if block.block_id in listed and not block.status.is_terminal}
            if now is None or not still_open.keys() - waits_for_agents:
                break
            waits_for_agents |= {name for name, block in still_open.items()
                                 if not self._is_stopped(plan, block, until_s)}
            self._end(plan, now, [still_open[name] for name in plan.ends_first
                                  if name in still_open and name not in waits_for_agents])
        if now is not None and listed and not still_open and now.generation == execution.generation:
            self._forget(now, tuple(execution.withdrawing))

    def _begin(self, execution: Execution, names: Collection[str], cause: str, *, by: str | None = None,
               reason: str | None = None) -> bool:
        """Write down what is to be withdrawn, and carry it out; False if the execution changed meanwhile."""
        listed = execution
        if not execution.withdrawing.keys() >= set(names):
            listed = executions.withdraw(execution, names, cause, self._clock.now(), by=by, reason=reason)
            if not self._stores.executions.change(execution, listed):
                return False
            self._finisher.rest(listed, urgent=True)
        self.carry_out(listed)
        return True

    def _is_stopped(self, plan: Plan, block: BlockExecution, until_s: float) -> bool:
        """Stop whoever may be at work on a block; True when it may be ended."""
        described = plan.nodes[block.block_id].block
        if described is not None and described.has_children:
            return self._children.give_up(block, CancelMode.FORCE)
        return self._stopping.may_be_given_up(block, until_s, is_forced=True)

    def _end(self, plan: Plan, execution: Execution, found: Sequence[BlockExecution]) -> None:
        """End blocks, the last in topological order first, so that each is ended for its own reason."""
        ended = []
        for block in found:
            over = blocks.withdraw(block, self._clock.now(), self._timings.lease, execution.withdrawing[block.block_id])
            if self._stores.blocks.change(block, over):
                ended.append(over)
        self._closing.supersede_requests(execution, {block.block_id: block.epoch + 1 for block in ended},
                                         ApprovalStatus.CANCELLED)
        for block in ended:
            self._permits.give_back(plan, block)
            self._releases.release(plan, block)

    def _forget(self, execution: Execution, names: Collection[str]) -> None:
        forgotten = executions.withdrawn(execution, names, self._clock.now())
        if self._stores.executions.change(execution, forgotten):  # else the sweep finds nothing left, and does it
            self._finisher.rest(forgotten)

    def _still_open(self, execution: Execution, names: Sequence[str]) -> list[str]:
        found = self._stores.blocks.statuses(execution.workspace_id, execution.execution_id, names)
        return [name for name in names if name in found and not found[name].is_terminal]


def _named(plan: Plan, command: CancelBlock) -> tuple[str, ...]:
    if command.block_id not in plan.nodes or plan.nodes[command.block_id].is_join:
        raise NotFound("block", command.block_id)
    return (*(reached_only_through(plan, command.block_id) if command.region else ()), command.block_id)


def _check_open(execution: Execution) -> None:
    if execution.status.is_terminal:
        raise Conflict(f"Execution '{execution.execution_id}' is {execution.status.value}; nothing in it goes on.")
    if execution.restart_targets is not None or execution.status in _NOT_NOW:
        raise Conflict(f"Execution '{execution.execution_id}' is being started, restarted or cancelled.")


def _goes_on(execution: Execution, block_id: str) -> bool:
    """Say whether an execution goes on with this run of a block."""
    is_over = execution.status.is_terminal or execution.status is ExecutionStatus.CANCELLING
    return not is_over and block_id not in (execution.restart_targets or {})
