"""The repositories of what runs, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.services.ports import (
    ApprovalRepository,
    BlockRepository,
    ExecutionRepository,
    StandingHoldRepository,
    WaitRepository,
)


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where executions, their blocks, waits, approvals and what holds them are kept."""

    executions: ExecutionRepository
    blocks: BlockRepository
    waits: WaitRepository
    approvals: ApprovalRepository
    holds: StandingHoldRepository
