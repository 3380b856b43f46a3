"""The part that all repositories of versioned documents share: get, insert, change, rest and due, under one lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Any, Generic

from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.repositories.versions import V, changed_fields, new_events
from workflow_service.services.ports import Key


class DocumentsInMemory(Generic[V]):
    """Documents by id."""

    def __init__(self, identifier: Callable[[V], str]) -> None:
        """Start empty.

        Args:
            identifier: gives the id of a document.
        """
        self._identifier = identifier
        self._documents: dict[str, V] = {}
        self._lock = RLock()

    def get(self, workspace_id: str, identifier: str) -> V | None:
        """Return the document; None if this workspace has none with this id."""
        with self._lock:
            document = self._documents.get(identifier)
            return as_stored(document) if document and document.workspace_id == workspace_id else None

    def insert(self, document: V) -> bool:
        """Store a new document; False if its id is taken."""
        with self._lock:
            identifier = self._identifier(document)
            if identifier in self._documents:
                return False
            self._documents[identifier] = as_stored(document)
            return True

    def change(self, before: V, after: V) -> bool:
        """Store what differs, and the new events, if the document still is as ``before`` was read."""
        before, after = as_stored(before), as_stored(after)
        with self._lock:
            stored = self._at_version(before)
            if stored is None or not self._holds(stored, before, after):
                return False
            altered = {name: getattr(after, name) for name in changed_fields(before, after)}
            self._store(stored, outbox=(*stored.outbox, *new_events(before, after)), **altered)
            return True

    def rest(self, documents: Sequence[V]) -> None:
        """Take relayed events out, and store when the sweep looks again."""
        with self._lock:
            for document in documents:
                stored = self._at_version(document)
                if stored is not None:
                    relayed = {event.event_id for event in document.outbox}
                    left = tuple(event for event in stored.outbox if event.event_id not in relayed)
                    self._store(stored, outbox=left, **self._rested(document))

    def due(self, at: datetime, limit: int) -> Sequence[Key]:
        """Return documents whose ``due_at`` has come, the longest due first."""
        with self._lock:
            due = sorted((document.due_at, identifier) for identifier, document in self._documents.items()
                         if document.due_at is not None and document.due_at <= at)
            return [Key(workspace_id=self._documents[identifier].workspace_id, identifier=identifier)
                    for _, identifier in due[:limit]]

    def scheduled(self) -> Sequence[V]:
        """Return the documents that have a ``due_at``, for those who move the time; they are no copies."""
        with self._lock:
            return [document for document in self._documents.values() if document.due_at is not None]

    def everything(self) -> Sequence[V]:
        """Return all documents of all workspaces, for those who count them."""
        with self._lock:
            return [as_stored(document) for document in self._documents.values()]

    def _holds(self, stored: V, before: V, after: V) -> bool:
        """Say whether what the change builds on, beside the version, still is as it was read."""
        return True

    def _rested(self, document: V) -> dict[str, Any]:
        """Return the fields that ``rest`` stores as given."""
        return {"due_at": document.due_at}

    def _of_workspace(self, workspace_id: str) -> list[V]:
        return [document for document in self._documents.values() if document.workspace_id == workspace_id]

    def _at_version(self, document: V) -> V | None:
        stored = self._documents.get(self._identifier(document))
        if stored is None or (stored.workspace_id, stored.version) != (document.workspace_id, document.version):
            return None
        return stored

    def _store(self, stored: V, **fields: Any) -> None:
        changed: V = as_stored(replace(stored, **fields))
        self._documents[self._identifier(stored)] = changed
