"""Block executions in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.statuses import BlockStatus
from workflow_service.repositories.memory.documents import DocumentsInMemory
from workflow_service.repositories.versions import guarded_fields


class BlocksInMemory(DocumentsInMemory[BlockExecution]):
    """The block executions port."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(lambda block: block.id)

    def insert_all(self, blocks: Sequence[BlockExecution]) -> None:
        """Store new blocks; those that are there already stay as they are."""
        with self._lock:
            for block in blocks:
                self.insert(block)

    def get_all(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return these blocks of one execution; those that are missing are left out."""
        with self._lock:
            found = (self.get(workspace_id, block_execution_id(execution_id, block_id))
                     for block_id in dict.fromkeys(block_ids))
            return [block for block in found if block is not None]

    def get_many(self, workspace_id: str, identifiers: Sequence[str]) -> Sequence[BlockExecution]:
        """Return blocks of any executions by their ids; those that are missing are left out."""
        with self._lock:
            found = (self.get(workspace_id, identifier) for identifier in identifiers)
            return [block for block in found if block is not None]

    def outlines(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return the same without what may be large."""
        return [replace(block, input=None, output=None, supplied=None, outbox=())
                for block in self.get_all(workspace_id, execution_id, block_ids)]

    def statuses(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Mapping[str, BlockStatus]:
        """Return the statuses of these blocks of one execution; missing ones are left out."""
        with self._lock:
            found = (self._documents.get(block_execution_id(execution_id, block_id)) for block_id in block_ids)
            return {block.block_id: block.status for block in found
                    if block is not None and block.workspace_id == workspace_id}

    def extend_lease(self, block: BlockExecution, until: datetime) -> bool:
        """Move the lease of a running block; False if the fence moved on or it does not run any more."""
        with self._lock:
            stored = self.get(block.workspace_id, block.id)
            if stored is None or stored.fence != block.fence or stored.status is not BlockStatus.RUNNING:
                return False
            self._store(stored, lease_until=until, due_at=until)
            return True

    def defer(self, block: BlockExecution, due_at: datetime, sent: int) -> None:
        """Store when the sweep looks again and how often it sent the block, if the version has not moved on."""
        with self._lock:
            stored = self._at_version(block)
            if stored is not None:
                self._store(stored, due_at=due_at, sent=sent)

    def first_open(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> str | None:
        """Return the id of the first block that has not ended; None if all have."""
        with self._lock:
            for block_id in block_ids:
                block = self._documents.get(block_execution_id(execution_id, block_id))
                if block and block.workspace_id == workspace_id and not block.status.is_terminal:
                    return block_id
            return None

    def _holds(self, stored: BlockExecution, before: BlockExecution, after: BlockExecution) -> bool:
        return all(getattr(stored, name) == getattr(before, name)
                   for name in ("fence", "status", *guarded_fields(before, after)))

    def _rested(self, document: BlockExecution) -> dict[str, Any]:
        return {"due_at": document.due_at, "released": document.released}
