"""Executions in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflow_service.domain.attributes import terms
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.execution import Execution, Slot
from workflow_service.domain.paging import Place
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import Key

_NOT_LISTED: Mapping[str, Any] = {"input": {}, "context": {}, "restart_supplied": None, "outbox": ()}
"""What a list does not show."""


class ExecutionsInMemory(DocumentsInMemory[Execution]):
    """The executions port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda execution: execution.execution_id)

    def unchanged(self, executions: Sequence[Execution]) -> Sequence[Execution]:
        """Return those of which no later version is stored."""
        stored = [self.get(execution.workspace_id, execution.execution_id) for execution in executions]
        return [execution for execution, found in zip(executions, stored, strict=True)
                if found is not None and found.version == execution.version]

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

    def live_children(self, workspace_id: str, execution_id: str, limit: int) -> Sequence[Execution]:
        """Return the executions right below this one that have not ended."""
        return [child for child in self._children(workspace_id, execution_id) if not child.status.is_terminal][:limit]

    def child_counts(self, workspace_id: str, execution_id: str) -> Mapping[tuple[str, int], Mapping[str, int]]:
        """Return for each block and epoch how many executions right below this one have which status."""
        counts: dict[tuple[str, int], dict[str, int]] = {}
        for child in self._children(workspace_id, execution_id):
            assert child.parent is not None
            of_block = counts.setdefault((child.parent.block_id, child.parent.epoch), {})
            of_block[child.status.value] = of_block.get(child.status.value, 0) + 1
        return counts

    def _children(self, workspace_id: str, execution_id: str) -> list[Execution]:
        with self._lock:
            return [as_stored(one) for one in self._of_workspace(workspace_id)
                    if one.parent is not None and one.parent.execution_id == execution_id]

    def page(self, workspace_id: str, wanted: ExecutionFilter) -> tuple[Sequence[Execution], int]:
        """Return executions, the latest created first, and how many there are in all."""
        with self._lock:
            found = [execution for execution in self._of_workspace(workspace_id) if _admits(wanted, execution)]
        found.sort(key=lambda execution: execution.execution_id)
        found.sort(key=lambda execution: execution.created_at, reverse=True)
        behind = [execution for execution in found if wanted.after is None or _is_behind(wanted.after, execution)]
        return [as_stored(replace(execution, **_NOT_LISTED)) for execution in behind[wanted.offset:][:wanted.limit]
                ], len(found)


def _admits(wanted: ExecutionFilter, execution: Execution) -> bool:
    code = (execution.error or {}).get("code")
    parent_id = execution.parent.execution_id if execution.parent is not None else None
    return (wanted.parent_id == parent_id
            and (not wanted.statuses or execution.status in wanted.statuses)
            and wanted.template_id in (None, execution.template_id)
            and wanted.created_by in (None, execution.created_by)
            and wanted.error_code in (None, code)
            and (wanted.tag is None or wanted.tag in execution.tags)
            and set(wanted.attributes) <= set(terms(execution.attributes))
            and _is_within(execution.started_at, wanted.started_after, wanted.started_before)
            and _is_within(execution.completed_at, wanted.ended_after, wanted.ended_before))


def _is_within(at: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    """Say whether an instant lies in a range; one that is None lies in a range without ends alone."""
    if at is None:
        return start is None and end is None
    return (start is None or at >= start) and (end is None or at < end)


def _is_behind(place: Place, execution: Execution) -> bool:
    return execution.created_at < place.at or (
        execution.created_at == place.at and execution.execution_id > place.identifier)
