"""Approvals in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workflow_service.domain.approval import Approval
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.stored_values import as_stored


class ApprovalsInMemory(DocumentsInMemory[Approval]):
    """The approvals port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda approval: approval.approval_id)

    def pending(self, workspace_id: str, *, roles: Sequence[str] | None, execution_id: str | None, block_id: str | None,
                type: str | None, limit: int, within: str | None = None) -> Sequence[Approval]:
        """Return approvals that wait for an answer, the oldest first."""
        with self._lock:
            return _oldest_first(
                approval for approval in self._of_workspace(workspace_id)
                if approval.status is ApprovalStatus.PENDING and (roles is None or approval.assigned_to in roles)
                and execution_id in (None, approval.execution_id) and within in (None, *_family(approval))
                and block_id in (None, approval.block_id)
                and type in (None, approval.type))[:limit]

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution, the oldest first."""
        with self._lock:
            return _oldest_first(approval for approval in self._of_workspace(workspace_id)
                                 if approval.execution_id == execution_id)

    def of_family(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution and of those that are a part of it, the oldest first."""
        with self._lock:
            return _oldest_first(approval for approval in self._of_workspace(workspace_id)
                                 if execution_id in _family(approval))


def _family(approval: Approval) -> tuple[str, ...]:
    return approval.execution_id, *approval.ancestors


def _oldest_first(approvals: Iterable[Approval]) -> list[Approval]:
    ordered = sorted(approvals, key=lambda approval: (approval.requested_at, approval.approval_id))
    return [as_stored(approval) for approval in ordered]
