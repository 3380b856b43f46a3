"""When the time has to stop next: what is due in the stores of a simulation.

Most of what the stores call due is repair of what a worker lost, and here nothing is lost. What will really happen is
told apart, so that time may pass over the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from workflow_service.domain.statuses import ApprovalStatus, BlockStatus
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory


@dataclass(frozen=True, kw_only=True)
class Dues:
    """The instants at which something is due."""

    certain: tuple[datetime, ...]
    """Retries, timers, time-outs, and the first escalation of each question."""
    endless: tuple[datetime, ...]
    """Further escalations: they bring no answer, and there is always another one."""
    repairs: tuple[datetime, ...]
    """Looks at what may have been lost."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Reads the stores of a simulation."""

    executions: ExecutionsInMemory
    blocks: BlocksInMemory
    waits: WaitsInMemory
    approvals: ApprovalsInMemory

    def dues(self) -> Dues:
        """Return what is due some day."""
        pending = [approval for approval in self.approvals.scheduled() if approval.status is ApprovalStatus.PENDING]
        return Dues(certain=tuple(self._certain()),
                    endless=tuple(one.overdue_at for one in pending if one.escalation_level),
                    repairs=tuple(self._repairs()))

    def _certain(self) -> Iterator[datetime]:
        yield from (one.deadline for one in self.executions.scheduled() if one.deadline is not None)
        yield from (one.due_at for one in self.waits.scheduled() if one.due_at is not None)
        yield from (one.due_at for one in self.blocks.scheduled()
                    if one.due_at is not None and one.status is BlockStatus.RETRY_WAIT)
        yield from (one.overdue_at for one in self.approvals.scheduled()
                    if one.status is ApprovalStatus.PENDING and not one.escalation_level)

    def _repairs(self) -> Iterator[datetime]:
        yield from (one.due_at for one in self.executions.scheduled() if one.due_at is not None)
        yield from (one.due_at for one in self.blocks.scheduled() if one.due_at is not None
                    and one.status not in (BlockStatus.RETRY_WAIT, BlockStatus.RUNNING))
        yield from (one.due_at for one in self.approvals.scheduled()
                    if one.due_at is not None and one.status is not ApprovalStatus.PENDING)
