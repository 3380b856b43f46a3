"""Sweeps: periodic repair from the store. Whatever was lost, they find: what needs a look has ``due_at``.

Each repair is the same compare-and-set as the work itself, so two sweeps at once are harmless, and a sweep that dies
is followed by the next.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from typing import TypeVar

from workflow_service.domain import blocks
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Invalid, WorkflowServiceError
from workflow_service.domain.execution import LIFTED, Execution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.plan import Plan
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind, WaitStatus
from workflow_service.domain.wait import Wait, wait_of
from workflow_service.services.approvals import Approvals
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.children import Children
from workflow_service.services.claims import Claims
from workflow_service.services.closing import Closing
from workflow_service.services.deadlines import TIMED, Deadlines
from workflow_service.services.executions import Executions
from workflow_service.services.finish import Finisher
from workflow_service.services.holds import Holds
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import (
    CheckpointRepository,
    Clock,
    Key,
    Repository,
    StateService,
)
from workflow_service.services.releases import Releases
from workflow_service.services.restarts import Restarts
from workflow_service.services.sending import Sender
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.services.waits import Waits
from workflow_service.services.withdrawals import Withdrawals

log = logging.getLogger(__name__)

LIMIT = 500
"""The most documents of a kind that one sweep looks at; the rest wait for the next."""
_MOST_DOUBLINGS = 4
_FOR_HOLDS = timedelta(seconds=5)
_BUDGET_S = 10
"""Of one sweep; what it did not get to waits for the next."""

T = TypeVar("T")


class Sweeps:
    """One method for each kind of document."""

    def __init__(self, stores: Stores, plans: Plans, claims: Claims, releases: Releases, waits: Waits,
                 deadlines: Deadlines, children: Children, approvals: Approvals, executions: Executions,
                 cancellation: Cancellation, restarts: Restarts, holds: Holds, standing_holds: StandingHolds,
                 withdrawals: Withdrawals, closing: Closing, permits: Permits, sender: Sender, finisher: Finisher,
                 checkpoints: CheckpointRepository, state: StateService, clock: Clock,
                 monotonic: Callable[[], float], timings: Timings) -> None:
        """Repair the documents of these stores by the use cases that change them."""
        self._stores = stores
        self._plans = plans
        self._claims = claims
        self._releases = releases
        self._waits = waits
        self._deadlines = deadlines
        self._children = children
        self._approvals = approvals
        self._executions = executions
        self._cancellation = cancellation
        self._restarts = restarts
        self._holds = holds
        self._standing_holds = standing_holds
        self._withdrawals = withdrawals
        self._closing = closing
        self._permits = permits
        self._sender = sender
        self._finisher = finisher
        self._checkpoints = checkpoints
        self._state = state
        self._clock = clock
        self._monotonic = monotonic
        self._timings = timings
        self._alone: defaultdict[str, Lock] = defaultdict(Lock)

    def sweep_blocks(self) -> int:
        """Repair blocks: not started, owner lost, retry due, ended and not released, parked and not told, and permits.
        """
        return self._sweep(self._stores.blocks, self._repair_block) + self._permits.repair()

    def sweep_executions(self) -> int:
        """Repair executions: half started, pausing, cancelling, half restarted, timed out, not told of, half held."""
        self._standing_holds.carry_out_unfinished(_FOR_HOLDS)
        return self._sweep(self._stores.executions, self._repair_execution)

    def sweep_waits(self) -> int:
        """Repair waits: agents to be asked again, fired and still parked, overdue, of an epoch that is over.

        And signals: not delivered, taken for a wait that has ended without them.
        """
        return (self._sweep(self._stores.signals, self._repair_signal)
                + self._sweep(self._stores.waits, self._repair_wait))

    def sweep_approvals(self) -> int:
        """Escalate overdue approvals, deliver decisions that nobody delivered."""
        return self._sweep(self._stores.approvals, self._repair_approval)

    def sweep_checkpoints(self) -> int:
        """Bring checkpoints that wait to the State Management Service."""
        until_s, brought = self._end(), 0
        while self._monotonic() < until_s:
            waiting = self._checkpoints.oldest(self._timings.batch_size)
            if not waiting:
                break
            self._bring(waiting)
            brought += len(waiting)
        return brought

    def _bring(self, waiting: Sequence[Checkpoint]) -> None:
        try:
            self._state.checkpoint(waiting)
        except Invalid as error:  # the good ones are recorded; the others would be refused again
            log.error("checkpoints refused: %s", error)
        self._checkpoints.remove(waiting)

    def _sweep(self, repository: Repository[T], repair: Callable[[T], None]) -> int:
        """Repair each due document, within a budget of time; one that can't be repaired now keeps no other waiting.

        Two sweeps of one kind in one process would only do the same, so the second does nothing.
        """
        if not self._alone[repair.__name__].acquire(blocking=False):
            return 0
        try:
            keys, until_s = repository.due(self._clock.now(), LIMIT), self._end()
            for key in keys:
                if self._monotonic() > until_s:
                    break
                self._repair(repository, key, repair)
            return len(keys)
        finally:
            self._alone[repair.__name__].release()

    def _repair(self, repository: Repository[T], key: Key, repair: Callable[[T], None]) -> None:
        try:
            document = repository.get(key.workspace_id, key.identifier)
            if document is not None:
                repair(document)
        except WorkflowServiceError as error:
            log.warning("not repaired: %s", error, extra={"document": key.identifier})
        except Exception:  # one document that nobody can read must not keep the others from repair
            log.exception("not repaired", extra={"document": key.identifier})

    def _end(self) -> float:
        return self._monotonic() + _BUDGET_S

    def _repair_block(self, block: BlockExecution) -> None:
        execution = self._stores.executions.get(block.workspace_id, block.execution_id)
        if execution is None:
            return
        if block.status is BlockStatus.PENDING:
            self._repair_reset(execution, block)
        elif block.status.is_terminal:
            self._permits.give_back(self._plans.of(execution), block)
            self._releases.release(self._plans.of(execution), block)
        elif block.status.is_parked:
            self._repair_parked(block)
        else:
            self._send_again(execution, block)

    def _repair_reset(self, execution: Execution, block: BlockExecution) -> None:
        """Forget a block that a restart has reset; while the restart is under way it is the restart's."""
        if execution.restart_targets is None:
            self._finisher.rest(block)

    def _repair_parked(self, block: BlockExecution) -> None:
        """Relay what was not relayed, and wake the block if its wait has fired."""
        self._finisher.rest(block)
        if block.parked_for is not None:
            wait = self._stores.waits.get(block.workspace_id, wait_of(block, block.parked_for).id)
            if wait is not None and wait.status is WaitStatus.FIRED:
                self._waits.wake(wait)

    def _send_again(self, execution: Execution, block: BlockExecution) -> None:
        """Send a block that should run: ready, due for a retry, or whose owner was lost; ever more rarely.

        A lost one is sent even while the execution is held: its claim is undone, and then nothing runs any more.
        """
        self._finisher.relay(block)
        if execution.slots:
            self._claims.free_stale_slots(execution)
        plan = self._plans.of(execution)
        if block.status is not BlockStatus.RUNNING and not self._may_start(plan, execution, block):
            self._look_later(block, block.sent + 1)
        elif block.status is BlockStatus.RETRY_WAIT:
            self._retry(plan, block)
        elif block.waits_for is not None and block.status is BlockStatus.READY:
            self._permits.remind(block, block.waits_for)
            self._look_later(block, block.sent + 1)
        else:
            was_sent = self._sender.send(plan, [block])
            self._look_later(block, block.sent + 1 if was_sent else block.sent)

    def _may_start(self, plan: Plan, execution: Execution, block: BlockExecution) -> bool:
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        return now is not None and now.may_start(block.agent_id) and self._claims.has_free_slot(plan, now)

    def _look_later(self, block: BlockExecution, sent: int) -> None:
        delay = self._timings.lease * 2 ** min(block.sent, _MOST_DOUBLINGS)
        self._stores.blocks.defer(block, self._clock.now() + delay, sent)

    def _retry(self, plan: Plan, block: BlockExecution) -> None:
        ready = blocks.wake(block, self._clock.now(), self._timings.lease, "retry_due")
        if self._stores.blocks.change(block, ready):
            self._finisher.relay(ready)
            self._sender.send(plan, [ready])

    def _repair_execution(self, execution: Execution) -> None:
        self._standing_holds.reconcile(execution.workspace_id, execution.execution_id)
        self._holds.follow_parent(execution)
        self._holds.go_down(execution)
        plan = self._plans.of(execution)
        if execution.withdrawing:
            self._withdrawals.carry_out(execution)
        if execution.status is ExecutionStatus.PENDING:
            self._executions.open(plan, execution)
        elif execution.status is ExecutionStatus.CANCELLING:
            self._cancellation.carry_out(execution)
        elif execution.deadline is not None and execution.deadline <= self._clock.now():
            self._cancellation.time_out(execution)
        elif execution.restart_targets is not None:
            self._restarts.carry_out(execution)
        elif execution.status.is_terminal:
            self._closing.withdraw_requests(execution)
            self._children.ended(execution)
        elif any(event.type in LIFTED for event in execution.outbox):
            self._holds.go_on(execution)
        else:
            self._closing.settle(plan, execution.workspace_id, execution.execution_id)
        self._finisher.rest(execution)  # changes nothing if one of these made a new version of it

    def _repair_wait(self, wait: Wait) -> None:
        block = self._stores.blocks.get(wait.workspace_id, block_execution_id(wait.execution_id, wait.block_id))
        if block is None or wait.status is WaitStatus.CANCELLED:
            self._waits.clear(wait)
            self._finisher.rest(wait)
        elif wait.status is WaitStatus.FIRED:
            self._waits.wake(wait)
        elif block.epoch != wait.epoch or block.status.is_terminal:
            self._supersede(block)
        elif not block.status.is_parked:
            self._waits.look_again(wait, self._timings.lease)
        elif wait.id == wait_of(block, WaitKind.AGENT).id:
            self._waits.ask_agent(block)
        elif wait.id == wait_of(block, WaitKind.CHILDREN).id:
            self._children.repair(wait)
        elif wait.kind in TIMED:
            self._deadlines.look_at(wait)
        else:
            self._finisher.rest(wait)

    def _repair_signal(self, signal: Signal) -> None:
        taken_by = signal.taken_by and self._stores.waits.get(signal.workspace_id, signal.taken_by)
        if not taken_by:
            self._waits.deliver(signal)
        elif taken_by.status is not WaitStatus.OPEN:
            self._waits.clear(taken_by)
        elif not self._waits.look_for_signals(taken_by):
            self._finisher.rest(signal)

    def _supersede(self, block: BlockExecution) -> None:
        """End the requests of epochs of a block that are over."""
        execution = self._stores.executions.get(block.workspace_id, block.execution_id)
        if execution is not None:
            over = block.epoch + block.status.is_terminal
            self._closing.supersede_requests(execution, {block.block_id: over})

    def _repair_approval(self, approval: Approval) -> None:
        now = self._clock.now()
        block = self._stores.blocks.get(approval.workspace_id,
                                        block_execution_id(approval.execution_id, approval.block_id))
        if approval.status in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED):
            self._approvals.deliver(approval)
        elif block is not None and (block.epoch != approval.epoch or block.status.is_terminal):
            self._supersede(block)
            self._finisher.rest(approval)
        elif approval.status is ApprovalStatus.PENDING and approval.overdue_at <= now:
            self._approvals.escalate(approval, self._timings.lease * 2 ** _MOST_DOUBLINGS)
        else:
            self._finisher.rest(approval)
