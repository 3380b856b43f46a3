"""Waits in memory."""

from __future__ import annotations

from collections.abc import Sequence

from workflow_service.domain.statuses import WaitStatus
from workflow_service.domain.wait import Wait
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.stored_values import as_stored


class WaitsInMemory(DocumentsInMemory[Wait]):
    """The waits port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda wait: wait.id)

    def open_of(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return the open waits of an execution."""
        with self._lock:
            return [as_stored(wait) for wait in self._of_workspace(workspace_id)
                    if wait.execution_id == execution_id and wait.status is WaitStatus.OPEN]

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return all waits of an execution, in any order."""
        with self._lock:
            return [as_stored(wait) for wait in self._of_workspace(workspace_id) if wait.execution_id == execution_id]
