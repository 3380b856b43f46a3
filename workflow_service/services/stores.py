"""The repositories of what runs, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.domain.errors import NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.users import User
from workflow_service.services.ports import (
    ApprovalRepository,
    BlockRepository,
    ExecutionRepository,
    PermitRepository,
    SignalRepository,
    StandingHoldRepository,
    WaitRepository,
)


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where executions, their blocks, waits, approvals, signals, permits and what holds them are kept."""

    executions: ExecutionRepository
    blocks: BlockRepository
    waits: WaitRepository
    approvals: ApprovalRepository
    signals: SignalRepository
    holds: StandingHoldRepository
    permits: PermitRepository

    def execution_of(self, user: User, execution_id: str) -> Execution:
        """Return an execution of the user's workspace.

        Raises:
            NotFound: the workspace has no such execution.
        """
        execution = self.executions.get(user.workspace_id, execution_id)
        if execution is None:
            raise NotFound("execution", execution_id)
        return execution
