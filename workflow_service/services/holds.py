"""Holds: pausing and resuming. A hold is a level, not a pulse: it is in the store, and whoever claims looks at it."""

from __future__ import annotations

from workflow_service.domain import execution as executions
from workflow_service.domain.commands import ClockRule, PauseExecution
from workflow_service.domain.errors import Conflict, IllegalTransition
from workflow_service.domain.execution import OPERATOR_HOLD, PARENT_HOLD, PAUSING_HOLDS, Execution
from workflow_service.domain.flow import MAX_MAP_WIDTH
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.approvals import Approvals
from workflow_service.services.closing import Closing
from workflow_service.services.deadlines import Deadlines
from workflow_service.services.finish import Finisher
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores

_PAUSABLE = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.WAITING, ExecutionStatus.PAUSING,
                       ExecutionStatus.PAUSED})
_GONE = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED,
                   ExecutionStatus.CANCELLING})
_SENDABLE = frozenset({BlockStatus.READY, BlockStatus.RETRY_WAIT})


class Holds:
    """Pauses and resumes executions."""

    def __init__(self, stores: Stores, plans: Plans, approvals: Approvals, deadlines: Deadlines, sender: Sender,
                 closing: Closing, finisher: Finisher, clock: Clock) -> None:
        """Hold executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._approvals = approvals
        self._deadlines = deadlines
        self._sender = sender
        self._closing = closing
        self._finisher = finisher
        self._clock = clock

    def pause(self, user: User, command: PauseExecution) -> Execution:
        """Let nothing new start; the execution is paused once nothing runs any more. Asking again changes nothing.

        Raises:
            NotFound: the workspace has no such execution.
            IllegalTransition: it has ended, is being cancelled, or has not begun.
        """
        while True:
            execution = self._stores.execution_of(user, command.execution_id)
            if execution.status not in _PAUSABLE:
                raise IllegalTransition("execution", command.execution_id, execution.status.value, "pausing")
            if OPERATOR_HOLD in execution.holds:
                return execution
            held = executions.hold(execution, OPERATOR_HOLD, self._clock.now(), clock=command.clock,
                                   reason=command.reason, by=user.name)
            if self._stores.executions.change(execution, held):
                self._finisher.rest(held, urgent=True)
                self.go_down(held)
                self._closing.settle(self._plans.of(held), held.workspace_id, held.execution_id)
                return self._stores.execution_of(user, command.execution_id)

    def resume(self, user: User, execution_id: str) -> Execution:
        """Lift the pause and go on, unless another hold is there.

        Raises:
            NotFound: the workspace has no such execution.
            Conflict: nobody has paused it.
        """
        while True:
            execution = self._stores.execution_of(user, execution_id)
            if OPERATOR_HOLD not in execution.holds:
                raise Conflict(_not_paused(execution))
            lifted = executions.lift(execution, OPERATOR_HOLD, self._clock.now(), by=user.name)
            if self._stores.executions.change(execution, lifted):
                self.go_on(lifted)
                return self._stores.execution_of(user, execution_id)

    def go_on(self, execution: Execution) -> None:
        """Do what follows when a hold was lifted; the sweep repeats it if who lifted it died.

        What is ready is sent, retries are looked at when they are due and not ever more rarely, and the deadlines of
        requests and timers are moved by as long as they stood still.
        """
        self.send_ready(execution)
        self.go_down(execution)
        self._approvals.postpone(execution)
        self._deadlines.go_on(execution)
        self._closing.settle(self._plans.of(execution), execution.workspace_id, execution.execution_id)
        self._finisher.rest(execution, urgent=True)

    def go_down(self, execution: Execution) -> None:
        """Let the executions that are a part of this one be held while it is paused, and no longer."""
        if self._plans.of(execution).has_children:
            for child in self._stores.executions.live_children(execution.workspace_id, execution.execution_id,
                                                               MAX_MAP_WIDTH):
                self.follow_parent(child)

    def follow_parent(self, child: Execution) -> Execution | None:
        """Bring an execution in line with the one that it is a part of; both are read again after each change.

        Args:
            child: as it was read just now.

        Returns:
            It as it was found in line; None if it is gone.
        """
        now: Execution | None = child
        while now is not None and (wanted := self._in_line(now)) is not None:
            if self._stores.executions.change(now, wanted):
                self._follow(wanted)
            now = self._stores.executions.get(child.workspace_id, child.execution_id)
        return now

    def _in_line(self, child: Execution) -> Execution | None:
        """Return a child as its parent wants it; None if it is so."""
        if child.parent is None or child.status in _GONE:
            return None
        parent = self._stores.executions.get(child.workspace_id, child.parent.execution_id)
        is_paused = parent is not None and not PAUSING_HOLDS.isdisjoint(parent.holds)
        if parent is None or is_paused is (PARENT_HOLD in child.holds):
            return None
        if not is_paused:
            return executions.lift(child, PARENT_HOLD, self._clock.now())
        clock = ClockRule.RUN if parent.stopped_since is None else ClockRule.STOP
        return executions.hold(child, PARENT_HOLD, self._clock.now(), clock=clock)

    def _follow(self, execution: Execution) -> None:
        if PARENT_HOLD not in execution.holds:
            return self.go_on(execution)
        self._finisher.rest(execution, urgent=True)
        self.go_down(execution)
        self._closing.settle(self._plans.of(execution), execution.workspace_id, execution.execution_id)

    def send_ready(self, execution: Execution) -> None:
        """Dispatch all ready blocks of an execution that may start."""
        if not execution.may_start_blocks:
            return
        plan, names = self._plans.of(execution), (execution.workspace_id, execution.execution_id)
        statuses = self._stores.blocks.statuses(*names, tuple(plan.nodes))
        wanted = [name for name, status in statuses.items() if status in _SENDABLE]
        found = self._stores.blocks.get_all(*names, wanted) if wanted else ()
        self._sender.send(plan, [block for block in found if block.status is BlockStatus.READY
                                 and execution.may_start(block.agent_id)])
        for block in found:
            if block.status is BlockStatus.RETRY_WAIT and block.retry_at is not None:
                self._stores.blocks.defer(block, block.retry_at, sent=0)


def _not_paused(execution: Execution) -> str:
    """Say why there is nothing to resume."""
    others = sorted(PAUSING_HOLDS.intersection(execution.holds))
    if others:
        return f"Execution '{execution.execution_id}' is held by others: {', '.join(others)}. Lift their holds."
    return f"Execution '{execution.execution_id}' is not paused, it is {execution.status.value}."
