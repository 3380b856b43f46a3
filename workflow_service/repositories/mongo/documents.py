"""The part that all repositories of versioned documents share: get, insert, change, rest and due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Generic

from pymongo import ASCENDING, UpdateMany
from pymongo.collection import Collection

from workflow_service.repositories.mongo.codec import Codec
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import event_to_raw
from workflow_service.repositories.mongo.writes import insert_once, new_token, repeated, update_once
from workflow_service.repositories.versions import V, changed_fields, new_events
from workflow_service.services.ports import Key

CHUNK = 50
"""Ids in one query; the embedded server takes 0.05 ms for each of 50, but 0.5 ms for each of 500."""


class DocumentsInMongo(Generic[V]):
    """Documents of one collection."""

    def __init__(self, store: Store, name: str, codec: Codec[V]) -> None:
        """Take the collection's name and what converts its documents."""
        self._store = store
        self._name = name
        self._codec = codec

    @store_errors()
    def get(self, workspace_id: str, identifier: str) -> V | None:
        """Return the document; None if this workspace has none with this id."""
        raw = self._collection.find_one({"_id": identifier})
        return self._codec.to_domain(raw) if raw and raw["workspaceId"] == workspace_id else None

    @store_errors()
    def insert(self, document: V) -> bool:
        """Store a new document; False if its id is taken."""
        return insert_once(self._collection, {**self._codec.from_domain(document), "writer": new_token()})

    @store_errors()
    def change(self, before: V, after: V) -> bool:
        """Store what differs, and the new events, if the document still is as ``before`` was read."""
        names = changed_fields(before, after)
        written = {**self._codec.stored(after, names), "writer": new_token()}
        update: Raw = {"$set": written}
        if absent := self._codec.absent(after, names):
            update["$unset"] = absent
        if added := new_events(before, after):
            update["$push"] = {"outbox": {"$each": [event_to_raw(event) for event in added]}}
        return update_once(self._collection, {**self._at_version(before), **self._guards(before, after)}, update)

    @store_errors()
    def rest(self, documents: Sequence[V]) -> None:
        """Take relayed events out, and store when the sweep looks again, in one bulk write.

        Documents of which the same is written share one update: the embedded server commits once for each.
        """
        groups: dict[str, tuple[Raw, Raw, list[str]]] = {}
        for document in documents:
            query, update = self._resting(document)
            groups.setdefault(repr((query, update)), (query, update, []))[2].append(self._codec.identifier(document))
        updates = [UpdateMany({"_id": {"$in": ids}, **query}, update) for query, update, ids in groups.values()]
        if updates:
            repeated(lambda: self._collection.bulk_write(updates, ordered=False))

    @store_errors()
    def due(self, at: datetime, limit: int) -> Sequence[Key]:
        """Return documents whose ``due_at`` has come; on MongoDB the longest due come first."""
        found = self._collection.find({"dueAt": {"$lte": at}}, {"workspaceId": 1}).limit(limit)
        if not self._store.is_embedded:
            found = found.sort("dueAt", ASCENDING)
        return [Key(workspace_id=raw["workspaceId"], identifier=raw["_id"]) for raw in found]

    @property
    def _collection(self) -> Collection[Raw]:
        return self._store.collection(self._name)

    def _by_ids(self, ids: Sequence[str], wanted: Raw | None = None) -> Iterator[Raw]:
        """Yield documents by their ids alone, the one query that the embedded server answers without a plan."""
        for start in range(0, len(ids), CHUNK):
            yield from self._collection.find({"_id": {"$in": list(ids[start:start + CHUNK])}}, wanted)

    def _at_version(self, document: V) -> Raw:
        """Return the filter for a document that nobody has changed."""
        return {"_id": self._codec.identifier(document), "workspaceId": document.workspace_id,
                "version": document.version}

    def _guards(self, before: V, after: V) -> Raw:
        """Return what else the filter of a change asks for."""
        return {}

    def _rested(self) -> tuple[str, ...]:
        """Return the names of the fields that ``rest`` stores as given."""
        return ("due_at",)

    def _resting(self, document: V) -> tuple[Raw, Raw]:
        """Return which documents of this version are written like this one, and what is written.

        All events of a version that was read are up to that version, so they are told by their number.
        """
        update: dict[str, dict[str, Any]] = {}
        if written := self._codec.stored(document, self._rested()):
            update["$set"] = written
        if absent := self._codec.absent(document, self._rested()):
            update["$unset"] = absent
        if document.outbox:
            update["$pull"] = {"outbox": {"version": {"$lte": document.outbox[-1].version}}}
        return {"workspaceId": document.workspace_id, "version": document.version}, update
