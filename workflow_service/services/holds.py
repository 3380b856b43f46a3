"""Holds: pausing and resuming. A hold is a level, not a pulse: it is in the store, and whoever claims looks at it."""

from __future__ import annotations

from workflow_service.domain import execution as executions
from workflow_service.domain.errors import Conflict, IllegalTransition, NotFound
from workflow_service.domain.execution import OPERATOR_HOLD, Execution
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores


class Holds:
    """Pauses and resumes executions."""

    def __init__(self, stores: Stores, plans: Plans, sender: Sender, closing: Closing, finisher: Finisher,
                 clock: Clock) -> None:
        """Hold executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._sender = sender
        self._closing = closing
        self._finisher = finisher
        self._clock = clock

    def pause(self, user: User, execution_id: str) -> Execution:
        """Let nothing new start; the execution is paused once nothing runs any more.

        Raises:
            NotFound: the workspace has no such execution.
            IllegalTransition: it has ended or is being cancelled.
        """
        while True:
            execution = _get(self._stores, user, execution_id)
            if OPERATOR_HOLD in execution.holds:
                return execution
            if execution.status not in (ExecutionStatus.RUNNING, ExecutionStatus.WAITING):
                raise IllegalTransition("execution", execution_id, execution.status.value, "pausing")
            held = executions.hold(execution, OPERATOR_HOLD, self._clock.now())
            if self._stores.executions.change(execution, held):
                self._finisher.rest(held, urgent=True)
                self._closing.settle(self._plans.of(held), held.workspace_id, execution_id)
                return held

    def resume(self, user: User, execution_id: str) -> Execution:
        """Lift the pause and send everything that is ready.

        Raises:
            NotFound: the workspace has no such execution.
            Conflict: it is not paused.
        """
        while True:
            execution = _get(self._stores, user, execution_id)
            if OPERATOR_HOLD not in execution.holds:
                raise Conflict(f"Execution '{execution_id}' is not paused, it is {execution.status.value}.")
            lifted = executions.lift(execution, OPERATOR_HOLD, self._clock.now())
            if self._stores.executions.change(execution, lifted):
                self._finisher.rest(lifted, urgent=True)
                self.send_ready(lifted)
                self._closing.settle(self._plans.of(lifted), lifted.workspace_id, execution_id)
                return lifted

    def send_ready(self, execution: Execution) -> None:
        """Dispatch all ready blocks of an execution."""
        plan = self._plans.of(execution)
        found = self._stores.blocks.get_all(execution.workspace_id, execution.execution_id, tuple(plan.nodes))
        if execution.may_start_blocks:
            self._sender.send(plan, [block for block in found if block.status is BlockStatus.READY])


def _get(stores: Stores, user: User, execution_id: str) -> Execution:
    execution = stores.executions.get(user.workspace_id, execution_id)
    if execution is None:
        raise NotFound("execution", execution_id)
    return execution
