"""Signals in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workflow_service.domain.signal import Signal
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.stored_values import as_stored


class SignalsInMemory(DocumentsInMemory[Signal]):
    """The signals port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda signal: signal.signal_id)

    def oldest(self, workspace_id: str, execution_id: str, names: Sequence[str], wait_id: str) -> Signal | None:
        """Return the oldest signal with one of these names that is kept, or was taken for this wait."""
        return next((signal for signal in self._oldest_first(workspace_id, execution_id)
                     if signal.name in names and signal.taken_by in (None, wait_id)), None)

    def taken_by(self, workspace_id: str, execution_id: str, wait_id: str) -> Sequence[Signal]:
        """Return the signals that were taken for a wait, without their payloads."""
        return [signal for signal in self.of_execution(workspace_id, execution_id) if signal.taken_by == wait_id]

    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Signal]:
        """Return all signals of an execution, the oldest first, without their payloads."""
        return [replace(signal, payload={}) for signal in self._oldest_first(workspace_id, execution_id)]

    def page(self, workspace_id: str, execution_id: str, limit: int, offset: int) -> tuple[Sequence[Signal], int]:
        """Return signals of an execution, the oldest first, and how many there are in all."""
        found = self._oldest_first(workspace_id, execution_id)
        return found[offset:][:limit], len(found)

    def _oldest_first(self, workspace_id: str, execution_id: str) -> list[Signal]:
        with self._lock:
            found = [as_stored(signal) for signal in self._of_workspace(workspace_id)
                     if signal.execution_id == execution_id]
        return sorted(found, key=lambda signal: (signal.sent_at, signal.signal_id))
