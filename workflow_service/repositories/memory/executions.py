"""Executions in memory."""

from __future__ import annotations

from collections.abc import Sequence

from workflow_service.domain.execution import Execution, Slot
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import Key


class ExecutionsInMemory(DocumentsInMemory[Execution]):
    """The executions port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda execution: execution.execution_id)

    def take_slot(self, workspace_id: str, execution_id: str, slot: Slot, limit: int) -> bool:
        """Add a slot if fewer than ``limit`` are taken."""
        with self._lock:
            stored = self.get(workspace_id, execution_id)
            if stored is None or len(stored.slots) >= limit or slot in stored.slots:
                return False
            self._store(stored, slots=(*stored.slots, slot))
            return True

    def free_slots(self, workspace_id: str, execution_id: str, slots: Sequence[Slot]) -> bool:
        """Take these slots away; False if none of them was there."""
        with self._lock:
            stored = self.get(workspace_id, execution_id)
            if stored is None or set(stored.slots).isdisjoint(slots):
                return False
            self._store(stored, slots=tuple(slot for slot in stored.slots if slot not in slots))
            return True

    def queue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Add blocks to the end of the slot queue, each once."""
        with self._lock:
            stored = self.get(workspace_id, execution_id)
            if stored is not None:
                self._store(stored, slot_queue=tuple(dict.fromkeys([*stored.slot_queue, *block_ids])))

    def unqueue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Take blocks out of the slot queue."""
        with self._lock:
            stored = self.get(workspace_id, execution_id)
            if stored is not None:
                self._store(stored, slot_queue=tuple(name for name in stored.slot_queue if name not in block_ids))

    def live(self, workspace_id: str | None, after: str, limit: int) -> Sequence[Key]:
        """Return executions that have not ended, by their ids, from the one after ``after``."""
        with self._lock:
            found = [Key(workspace_id=execution.workspace_id, identifier=execution.execution_id)
                     for execution in self._documents.values() if not execution.status.is_terminal
                     and workspace_id in (None, execution.workspace_id) and execution.execution_id > after]
        return sorted(found, key=lambda key: key.identifier)[:limit]

    def page(self, workspace_id: str, *, status: ExecutionStatus | None, template_id: str | None, limit: int,
             offset: int) -> tuple[Sequence[Execution], int]:
        """Return executions, the latest started first, those not started last, and how many there are."""
        with self._lock:
            found = [execution for execution in self._of_workspace(workspace_id)
                     if status in (None, execution.status) and template_id in (None, execution.template_id)]
        found.sort(key=lambda execution: execution.execution_id)
        started = sorted((execution for execution in found if execution.started_at is not None),
                         key=lambda execution: execution.started_at or execution.created_at, reverse=True)
        ordered = [*started, *(execution for execution in found if execution.started_at is None)]
        return [as_stored(execution) for execution in ordered[offset:offset + limit]], len(ordered)
