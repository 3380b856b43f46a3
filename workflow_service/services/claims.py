"""Claims: becoming the one owner of a block, and looking, after that, whether it may run now.

The look comes after the claim: who holds the execution waits for running blocks, so a claim that was made is seen, and
one that is made later sees the hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.agents import Failure, FailureClass
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import RunBlock
from workflow_service.domain.execution import Execution, Slot
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_NO_SLOT = "no_slot"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A block that is ours and may run."""

    plan: Plan
    execution: Execution
    block: BlockExecution
    since_s: float
    """The monotonic instant right before the request that claimed it."""


class Claims:
    """Claims blocks for one worker process, and gives them back."""

    def __init__(self, stores: Stores, plans: Plans, sender: Sender, closing: Closing, finisher: Finisher, clock: Clock,
                 monotonic: Callable[[], float], owner: str, timings: Timings) -> None:
        """Claim in the name of ``owner``."""
        self._stores = stores
        self._plans = plans
        self._sender = sender
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._monotonic = monotonic
        self._owner = owner
        self._timings = timings

    def claim(self, command: RunBlock) -> Claim | None:
        """Claim the block of a message; None if it is not to be claimed, is somebody else's, or may not run now."""
        identifier = block_execution_id(command.execution_id, command.block_id)
        block = self._stores.blocks.get(command.workspace_id, identifier)
        if block is None or not blocks.is_claimable(block, command.epoch, self._clock.now()):
            return None
        if block.lost_leases >= self._timings.max_lost_leases and block.status is BlockStatus.RUNNING:
            self._give_up(block)
            return None
        return self.take(block, block)

    def take(self, before: BlockExecution, ready: BlockExecution) -> Claim | None:
        """Claim a block and look.

        Args:
            before: as it was read.
            ready: the same, or as it has just become ready; that is stored with the claim in one update.
        """
        since_s = self._monotonic()
        block = blocks.claim(ready, self._owner, self._clock.now(), self._timings.lease)
        if not self._stores.blocks.change(before, block):
            return None
        self._finisher.relay(block)
        if before.status is BlockStatus.RUNNING:  # the lost owner's slot is nobody's now
            self._free_slot(before)
        return self._look(block, since_s)

    def leave(self, claim: Claim) -> None:
        """Give the slot of a block that left ``running`` to those that wait for one, if there are slots."""
        limit = self._sender.slot_limit(claim.plan)
        if limit is not None:
            self._free_slot(claim.block)
            self._send_queued(claim.plan, self._execution(claim.block), limit)

    def free_stale_slots(self, execution: Execution) -> None:
        """Take away the slots of claims that are over; the execution was read before the blocks are."""
        names = [slot.block_id for slot in execution.slots]
        found = self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, names) if names else ()
        current = {Slot(block_id=block.block_id, fence=block.fence) for block in found
                   if block.status is BlockStatus.RUNNING}
        stale = [slot for slot in execution.slots if slot not in current]
        if stale:
            self._stores.executions.free_slots(execution.workspace_id, execution.execution_id, stale)

    def has_free_slot(self, plan: Plan, execution: Execution) -> bool:
        """Say whether another block may run now."""
        limit = self._sender.slot_limit(plan)
        return limit is None or len(execution.slots) < limit

    def _look(self, block: BlockExecution, since_s: float) -> Claim | None:
        execution = self._execution(block)
        plan = self._plans.of(execution)
        if not execution.may_start(block.agent_id):
            self._undo(plan, block, "held")
            return None
        limit = self._sender.slot_limit(plan)
        slot = Slot(block_id=block.block_id, fence=block.fence)
        if limit is not None and not self._stores.executions.take_slot(block.workspace_id, block.execution_id, slot,
                                                                       limit):
            self._undo(plan, block, _NO_SLOT)
            return None
        if execution.status is ExecutionStatus.WAITING:
            self._rise(execution)
        return Claim(plan=plan, execution=execution, block=block, since_s=since_s)

    def _undo(self, plan: Plan, block: BlockExecution, cause: str) -> None:
        """Give the claim back, then look once more: a lift or a free slot in between would find nobody to tell."""
        ready = blocks.undo_claim(block, self._clock.now(), self._timings.lease, cause)
        if not self._stores.blocks.change(block, ready):
            return
        self._finisher.relay(ready)
        if cause == _NO_SLOT:
            self._stores.executions.queue_blocks(block.workspace_id, block.execution_id, [block.block_id])
        execution = self._execution(block)
        if execution.may_start(block.agent_id) and self.has_free_slot(plan, execution):
            if cause == _NO_SLOT:
                self._stores.executions.unqueue_blocks(block.workspace_id, block.execution_id, [block.block_id])
            self._sender.send(plan, [ready])
        elif execution.status is ExecutionStatus.PAUSING:
            self._closing.settle(plan, execution.workspace_id, execution.execution_id)

    def _rise(self, execution: Execution) -> None:
        risen = executions.rise(execution, self._clock.now())
        if self._stores.executions.change(execution, risen):  # another claim may have done it
            self._finisher.rest(risen)

    def _give_up(self, block: BlockExecution) -> None:
        failure = Failure(code="lost_worker", failure_class=FailureClass.CRITICAL,
                          message=f"The worker was lost {block.lost_leases} times while it ran this block.")
        failed = blocks.fail(block, failure, self._clock.now(), self._timings.lease)
        self._stores.blocks.change(block, failed)  # the sweep finds it ended and not released

    def _free_slot(self, block: BlockExecution) -> None:
        slot = Slot(block_id=block.block_id, fence=block.fence)
        self._stores.executions.free_slots(block.workspace_id, block.execution_id, [slot])

    def _send_queued(self, plan: Plan, execution: Execution, limit: int) -> None:
        """Send as many of the blocks that wait for a slot as there are slots; one sent twice is claimed once."""
        waiting = [name for name in execution.slot_queue if execution.may_start(_agent_of(plan, name))]
        names = waiting[:max(0, limit - len(execution.slots))]
        if names:
            self._stores.executions.unqueue_blocks(execution.workspace_id, execution.execution_id, names)
            self._sender.send_blocks(plan, execution.workspace_id, execution.execution_id, names)

    def _execution(self, block: BlockExecution) -> Execution:
        execution = self._stores.executions.get(block.workspace_id, block.execution_id)
        if execution is None:
            raise LookupError(f"block {block.id} has no execution")
        return execution


def _agent_of(plan: Plan, name: str) -> str | None:
    node = plan.nodes.get(name)
    return node.block.agent_id if node is not None and node.block is not None else None
