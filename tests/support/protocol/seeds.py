"""Seeds: each takes one guard of the protocol away, and has the guard's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from workflow_service.domain import approval as approvals
from workflow_service.domain import execution as executions
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import StartExecution
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.standing_hold import StandingHold
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.domain.wait import Wait
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.services.approvals import Approvals
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.claims import Claim, Claims
from workflow_service.services.closing import Closing
from workflow_service.services.executions import Executions
from workflow_service.services.releases import Releases
from workflow_service.services.restarts import Restarts
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.stopping import Stopping
from workflow_service.services.sweeps import Sweeps
from workflow_service.services.waits import Waits


def fence_check(patch: pytest.MonkeyPatch) -> None:
    """A result is stored whatever the block's version and fence are by now."""
    careful = BlocksInMemory.change

    def change(self: BlocksInMemory, before: BlockExecution, after: BlockExecution) -> bool:
        stored = self.get(before.workspace_id, before.id)
        if stored is not None and after.status is BlockStatus.COMPLETED:
            before = replace(before, version=stored.version, fence=stored.fence, status=stored.status)
        return careful(self, before, after)

    patch.setattr(BlocksInMemory, "change", change)


def claim_filter(patch: pytest.MonkeyPatch) -> None:
    """A block is claimed whatever became of it since it was read."""
    careful = BlocksInMemory.change

    def change(self: BlocksInMemory, before: BlockExecution, after: BlockExecution) -> bool:
        stored = self.get(before.workspace_id, before.id)
        if stored is not None and after.status is BlockStatus.RUNNING:
            before = replace(before, version=stored.version, fence=stored.fence, status=stored.status)
        return careful(self, before, after)

    patch.setattr(BlocksInMemory, "change", change)


def look_after_the_claim(patch: pytest.MonkeyPatch) -> None:
    """Who has claimed a block runs it, without a look at the execution."""
    def look(self: Claims, block: BlockExecution, since_s: float) -> Claim:
        execution = self._execution(block)
        return Claim(plan=self._plans.of(execution), execution=execution, block=block, since_s=since_s)

    patch.setattr(Claims, "_look", look)


def look_after_the_park(patch: pytest.MonkeyPatch) -> None:
    """Who has parked a block does not look whether its wait had fired before."""
    class Blind:
        """Waits that show none while a block is parked."""

        def __init__(self, waits: Any) -> None:
            self._waits = waits

        def get(self, workspace_id: str, identifier: str) -> None:
            """Return nothing."""

        def __getattr__(self, name: str) -> Any:
            return getattr(self._waits, name)

    careful = Waits.park

    def park(self: Waits, claim: Claim, block: BlockExecution, wait: Wait, approval: Approval | None, *,
             called: bool) -> bool:
        seeing = self._stores
        self._stores = replace(seeing, waits=Blind(seeing.waits))
        try:
            return careful(self, claim, block, wait, approval, called=called)
        finally:
            self._stores = seeing

    patch.setattr(Waits, "park", park)


def sweep_of_what_is_not_released(patch: pytest.MonkeyPatch) -> None:
    """The sweep passes by blocks that have ended."""
    careful = Sweeps._repair_block

    def repair(self: Sweeps, block: BlockExecution) -> None:
        if not block.status.is_terminal:
            careful(self, block)

    patch.setattr(Sweeps, "_repair_block", repair)


def release_before_released(patch: pytest.MonkeyPatch) -> None:
    """A block counts as released before its successors are told."""
    careful = Releases.release

    def release(self: Releases, plan: Plan, source: BlockExecution, **more: Any) -> Claim | None:
        self._finisher.rest(source)
        self._finisher.flush()
        return careful(self, plan, source, **more)

    patch.setattr(Releases, "release", release)


def generation(patch: pytest.MonkeyPatch) -> None:
    """An execution is closed whatever happened to it since it was read."""
    unchecked(patch, lambda after: after.status.is_terminal)


def generation_of_requests(patch: pytest.MonkeyPatch) -> None:
    """Requests are withdrawn whatever happened to their execution since it ended."""
    def withdraw(self: Closing, execution: Execution) -> None:
        self._withdraw(*self._open_requests(execution), ApprovalStatus.CANCELLED)

    patch.setattr(Closing, "withdraw_requests", withdraw)


def hold_number(patch: pytest.MonkeyPatch) -> None:
    """An execution is shown as paused whatever was held or lifted since its blocks were counted."""
    unchecked(patch, lambda after: after.status is ExecutionStatus.PAUSED)


def unchecked(patch: pytest.MonkeyPatch, careless: Callable[[Execution], bool]) -> None:
    """Let a change of an execution take place whatever its version is by now."""
    careful = ExecutionsInMemory.change

    def change(self: ExecutionsInMemory, before: Execution, after: Execution) -> bool:
        stored = self.get(before.workspace_id, before.execution_id)
        if stored is not None and careless(after):
            before = replace(before, version=stored.version)
        return careful(self, before, after)

    patch.setattr(ExecutionsInMemory, "change", change)


def agent_told_before_a_forced_cancel(patch: pytest.MonkeyPatch) -> None:
    """A forced cancel gives blocks up and tells nobody."""
    patch.setattr(Stopping, "may_be_given_up", lambda *_, **__: True)


def agent_stopped_before_a_new_epoch(patch: pytest.MonkeyPatch) -> None:
    """A restart does not ask whether the old call is over."""
    patch.setattr(Restarts, "_is_stopped", lambda *_: True)


def standing_holds_read_after_the_execution_is_stored(patch: pytest.MonkeyPatch) -> None:
    """Who starts an execution reads the standing holds before it is stored."""
    class Early:
        """Holds as they were."""

        def __init__(self, found: Sequence[StandingHold]) -> None:
            self._found = found

        def of_workspace(self, workspace_id: str) -> Sequence[StandingHold]:
            """Return what there was."""
            return self._found

    careful = Executions.start

    def start(self: Executions, user: User, command: StartExecution) -> Execution:
        holds = self._standing_holds
        seeing = holds._stores
        holds._stores = replace(seeing, holds=cast(Any, Early(seeing.holds.of_workspace(user.workspace_id))))
        try:
            return careful(self, user, command)
        finally:
            holds._stores = seeing

    patch.setattr(Executions, "start", start)


def standing_holds_compared_in_a_restart(patch: pytest.MonkeyPatch) -> None:
    """Who restarts an execution does not look which holds are in force by now."""
    careful = Restarts.carry_out

    def carry_out(self: Restarts, execution: Execution) -> None:
        with pytest.MonkeyPatch.context() as within:
            within.setattr(StandingHolds, "reconcile", lambda *_: None)
            careful(self, execution)

    patch.setattr(Restarts, "carry_out", carry_out)


def reconcile_after_the_change(patch: pytest.MonkeyPatch) -> None:
    """Who gives an execution a hold, or takes it away, does not compare again."""
    def reconcile(self: StandingHolds, workspace_id: str, execution_id: str) -> None:
        execution = self._stores.executions.get(workspace_id, execution_id)
        if execution is None or execution.status.is_terminal:
            return
        after = self.in_line(execution)
        if after is not execution and self._stores.executions.change(execution, after):
            self._follow(execution, after)

    patch.setattr(StandingHolds, "reconcile", reconcile)


def later_look_at_standing_holds(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks again at what a standing hold keeps."""
    patch.setattr("workflow_service.domain.execution.is_standing", lambda name: False)


def intent_read_again_in_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A restart goes on although a cancel has given it up."""
    patch.setattr(Restarts, "_still_stands", lambda *_: True)


def ended_blocks_touched_by_a_cancel(patch: pytest.MonkeyPatch) -> None:
    """A cancel forgets the restart that it gives up, and leaves the blocks that this was about to reset as they are."""
    def forget(self: Cancellation, execution: Execution, found: object) -> None:
        if execution.revoked:
            self._stores.executions.change(execution, executions.forget_restart(execution, self._clock.now()))

    patch.setattr(Cancellation, "_forget_restart", forget)


def clock_rule_of_escalations(patch: pytest.MonkeyPatch) -> None:
    """A request is escalated although the clock stands still."""
    def escalate(self: Approvals, approval: Approval, again_after: timedelta) -> None:
        later = approvals.escalate(approval, self._clock.now())
        if self._stores.approvals.change(approval, later):
            self._finisher.rest(later)

    patch.setattr(Approvals, "escalate", escalate)


def clock_rule_of_the_time_out(patch: pytest.MonkeyPatch) -> None:
    """The time-out of an execution goes on although its clock stands still."""
    patch.setattr("workflow_service.domain.execution._clock_stopped", lambda execution, at: execution)


def epoch_of_edges(patch: pytest.MonkeyPatch) -> None:
    """An edge is known by its source alone."""
    for module in ("domain.blocks", "services.restarts"):
        patch.setattr(f"workflow_service.{module}.edge_entry", lambda block_id, epoch: f"{block_id}:0")


def slot_given_back(patch: pytest.MonkeyPatch) -> None:
    """Nobody gives a slot back."""
    patch.setattr(Claims, "leave", lambda self, claim: None)
    patch.setattr(Claims, "free_stale_slots", lambda self, execution: None)


def slot_given_back_at_once(patch: pytest.MonkeyPatch) -> None:
    """Who leaves does not give the slot back."""
    patch.setattr(Claims, "leave", lambda self, claim: None)
