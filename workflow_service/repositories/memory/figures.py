"""Figures in memory."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from workflow_service.domain.permits import KINDS, kind_of
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, WaitKind, WaitStatus
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.services.figures import LIVE, MOST_COUNTED, ON_THEIR_WAY, Figures, ready_for
from workflow_service.services.ports import Clock


class FiguresInMemory:
    """The figures port."""

    def __init__(self, executions: ExecutionsInMemory, blocks: BlocksInMemory, waits: WaitsInMemory,
                 approvals: ApprovalsInMemory, checkpoints: CheckpointsInMemory,
                 permits: PermitsInMemory, clock: Clock, lease: timedelta) -> None:
        """Count in these stores.

        Args:
            clock: the time that documents are due by.
            lease: the length of a lease.
        """
        self._executions = executions
        self._blocks = blocks
        self._waits = waits
        self._approvals = approvals
        self._checkpoints = checkpoints
        self._permits = permits
        self._clock = clock
        self._lease = lease

    def read(self) -> Figures:
        """Return the figures of this moment."""
        now = self._clock.now()
        blocks = [block for block in self._blocks.everything() if block.due_at is not None]
        pending = [approval for approval in self._approvals.everything() if approval.status is ApprovalStatus.PENDING]
        statuses = Counter(execution.status for execution in self._executions.everything())
        block_statuses = Counter(block.status for block in blocks)
        return Figures(
            executions={status: statuses[status] for status in LIVE},
            blocks={status: block_statuses[status] for status in ON_THEIR_WAY},
            oldest_ready=max((ready_for(block.due_at - now, block.sent, self._lease) for block in blocks
                              if block.status is BlockStatus.READY and block.due_at is not None), default=None),
            due=self._due(now),
            parked={WaitKind.APPROVAL: len(pending), WaitKind.AGENT: sum(
                wait.kind is WaitKind.AGENT and wait.status is WaitStatus.OPEN and wait.due_at is not None
                for wait in self._waits.everything())},
            permit_waits={kind: sum(len(pool.waiting) for pool in self._permits.everything()
                                    if kind_of(pool.name) == kind) for kind in KINDS},
            approvals_pending=len(pending), approvals_overdue=sum(one.overdue_at <= now for one in pending),
            checkpoints_waiting=len(self._checkpoints.oldest(MOST_COUNTED)), checkpoint_lag=self._checkpoints.lag(now),
            outbox_lag=max((now - event.at for block in blocks for event in block.outbox), default=None))

    def _due(self, now: datetime) -> dict[str, int]:
        return {"blocks": len(self._blocks.due(now, MOST_COUNTED)),
                "executions": len(self._executions.due(now, MOST_COUNTED)),
                "waits": len(self._waits.due(now, MOST_COUNTED)),
                "approvals": len(self._approvals.due(now, MOST_COUNTED))}
