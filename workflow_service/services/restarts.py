"""Restarting an ended or running execution from a block: a new epoch for that block and all that follows from it.

One intent at a time is written into the execution, with its hold; it names the epoch that each affected block is to
reach, so every step can be repeated by the sweep and changes nothing the second time. Affected are the chosen block,
its descendants, and any predecessor of those that ended without an outcome (cancelled, failed, rejected), with its own
descendants: nothing else would ever decide their edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Conflict, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id, edge_entry, idempotency_key
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import FAILURES, BlockStatus, ExecutionStatus
from workflow_service.domain.template import SideEffects
from workflow_service.domain.users import User
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.holds import Holds
from workflow_service.services.plans import Plans
from workflow_service.services.ports import AgentService, Clock
from workflow_service.services.releases import Releases
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_NOT_NOW = (ExecutionStatus.PENDING, ExecutionStatus.CANCELLING)
_WITHOUT_OUTCOME = FAILURES | {BlockStatus.CANCELLED}


class Restarts:
    """Restarts executions from a block."""

    def __init__(self, stores: Stores, plans: Plans, agents: AgentService, releases: Releases, closing: Closing,
                 holds: Holds, finisher: Finisher, clock: Clock, timings: Timings) -> None:
        """Restart executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._agents = agents
        self._releases = releases
        self._closing = closing
        self._holds = holds
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def restart(self, user: User, execution_id: str, from_block: str) -> Execution:
        """Run a block and all that follows from it again.

        Raises:
            NotFound: the workspace has no such execution, or the execution no such block.
            Conflict: another restart is under way, or it is being cancelled.
        """
        while True:
            execution = self._stores.executions.get(user.workspace_id, execution_id)
            if execution is None:
                raise NotFound("execution", execution_id)
            if execution.restart_targets is not None or execution.status in _NOT_NOW:
                raise Conflict(f"Execution '{execution_id}' is being started, restarted or cancelled.")
            targets = self._targets(execution, from_block)
            timeout = self._plans.of(execution).template.timeout or self._timings.execution_timeout
            begun = executions.begin_restart(execution, targets, timeout, self._clock.now())
            if self._stores.executions.change(execution, begun):
                self._finisher.rest(begun, urgent=True)
                self.carry_out(begun)
                return begun

    def carry_out(self, execution: Execution) -> None:
        """Bring a restart that was begun to its end; each step may be repeated."""
        targets = execution.restart_targets or {}
        plan = self._plans.of(execution)
        if not all(self._reset(plan, execution, name, targets) for name in targets):
            return  # an agent did not confirm that it stopped, or somebody was in between: the sweep goes on
        self._closing.supersede_requests(execution, targets)
        self._release_again(plan, execution, targets)
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        if now is None or now.restart_targets is None or now.generation != execution.generation:
            return
        done = executions.end_restart(now, self._clock.now())
        if self._stores.executions.change(now, done):
            self._finisher.rest(done, urgent=True)
            self._holds.send_ready(done)
            self._closing.settle(plan, execution.workspace_id, execution.execution_id)

    def _targets(self, execution: Execution, from_block: str) -> Mapping[str, int]:
        plan = self._plans.of(execution)
        if from_block not in plan.nodes:
            raise NotFound("block", from_block)
        found = {block.block_id: block for block in self._stores.blocks.get_all(
            execution.workspace_id, execution.execution_id, tuple(plan.nodes))}
        affected = _affected(plan, found, from_block)
        return {name: found[name].epoch + 1 for name in plan.nodes if name in affected}

    def _reset(self, plan: Plan, execution: Execution, name: str, targets: Mapping[str, int]) -> bool:
        """Move one block to its target epoch; True when it is there."""
        block = self._read(execution, name)
        if block.epoch >= targets[name]:
            return True
        if not self._is_stopped(plan, block) or not self._still_stands(execution):
            return False
        epochs = {before: targets.get(before) or self._read(execution, before).epoch
                  for before in plan.nodes[name].predecessors}
        entries = [edge_entry(before, epoch) for before, epoch in epochs.items()]
        after = blocks.restart(block, targets[name], entries, self._clock.now())
        if not self._stores.blocks.change(block, after):
            return False
        self._finisher.rest(after)
        return True

    def _still_stands(self, execution: Execution) -> bool:
        """Say whether the intent is still there, looked at after the block was read: a cancel gives it up."""
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        return now is not None and now.restart_targets is not None and now.generation == execution.generation

    def _is_stopped(self, plan: Plan, block: BlockExecution) -> bool:
        """Confirm that no call of the old epoch can still have an effect, if one was made that may have one."""
        wanted = plan.nodes[block.block_id].block
        if wanted is None or block.attempt == 0 or wanted.side_effects is not SideEffects.UNSAFE:
            return True
        if block.status in (BlockStatus.COMPLETED, BlockStatus.SKIPPED):
            return True
        key = idempotency_key(block.execution_id, block.block_id, block.epoch)
        return self._agents.stop(wanted.agent_id, key)

    def _release_again(self, plan: Plan, execution: Execution, targets: Mapping[str, int]) -> None:
        """Let all ended predecessors decide their edges anew, then settle what has none pending.

        Those within the restart as well: one may have been skipped before its successor was reset.
        """
        for name in {before for name in targets for before in plan.nodes[name].predecessors}:
            source = self._read(execution, name)
            if source.status.is_terminal:
                self._releases.release(plan, source)
        for name in targets:
            block = self._read(execution, name)
            after = blocks.settle(block, plan.nodes[name], self._clock.now(), self._timings.lease)
            if after is None or not self._stores.blocks.change(block, after):
                continue
            if after.status.is_terminal:
                self._releases.release(plan, after)
            else:
                self._finisher.relay(after)

    def _read(self, execution: Execution, name: str) -> BlockExecution:
        block = self._stores.blocks.get(execution.workspace_id, block_execution_id(execution.execution_id, name))
        if block is None:
            raise LookupError(f"block {name} of {execution.execution_id} is not stored")
        return block


def _affected(plan: Plan, found: Mapping[str, BlockExecution], from_block: str) -> frozenset[str]:
    """Return the blocks that run again."""
    affected: set[str] = set()
    wanted = {from_block}
    while wanted:
        affected |= wanted | {after for name in wanted for after in plan.descendants(name)}
        wanted = set(_without_outcome(plan, found, affected)) - affected
    return frozenset(affected)


def _without_outcome(plan: Plan, found: Mapping[str, BlockExecution], affected: Iterable[str]) -> Iterable[str]:
    return (before for name in affected for before in plan.nodes[name].predecessors
            if found[before].status in _WITHOUT_OUTCOME)
