"""Signals on MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, IntField
from pymongo import ASCENDING

from workflow_service.domain.signal import Signal
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.documents import DocumentsInMongo
from workflow_service.repositories.mongo.fields import EventsField, JsonField, TextField
from workflow_service.repositories.mongo.large_values import LargeValues

COLLECTION = "signals"
_OLDEST_FIRST = [("sentAt", ASCENDING), ("_id", ASCENDING)]
_NO_PAYLOAD = {"payload": 0}


class SignalDocument(StoredDocument):
    """A signal as it is stored."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    signal_id = TextField(db_field="signalId")
    execution_id = TextField(db_field="executionId")
    name = TextField()
    payload = JsonField()
    sent_at = DateTimeField(db_field="sentAt")
    sent_by = TextField(db_field="sentBy")
    request_digest = TextField(db_field="requestDigest")
    taken_by = TextField(db_field="takenBy")
    taken_for = TextField(db_field="takenFor")
    version = IntField()
    due_at = DateTimeField(db_field="dueAt")
    outbox = EventsField()


class SignalsInMongo(DocumentsInMongo[Signal]):
    """The signals port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        super().__init__(store, COLLECTION,
                         Codec(SignalDocument, Signal, LargeValues(store), identifier=lambda signal: signal.signal_id))

    @store_errors()
    def oldest(self, workspace_id: str, execution_id: str, names: Sequence[str], wait_id: str) -> Signal | None:
        """Return the oldest signal with one of these names that is kept, or was taken for this wait."""
        wanted = {"executionId": execution_id, "workspaceId": workspace_id, "name": {"$in": list(names)},
                  "takenBy": {"$in": [None, wait_id]}}
        found = self._collection.find(wanted).sort(_OLDEST_FIRST).limit(1)
        return next((self._codec.to_domain(raw) for raw in found), None)

    @store_errors()
    def taken_by(self, workspace_id: str, execution_id: str, wait_id: str) -> Sequence[Signal]:
        """Return the signals that were taken for a wait, without their payloads."""
        return self._found({"executionId": execution_id, "workspaceId": workspace_id, "takenBy": wait_id})

    @store_errors()
    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Signal]:
        """Return all signals of an execution, the oldest first, without their payloads."""
        return self._found({"executionId": execution_id, "workspaceId": workspace_id})

    @store_errors()
    def page(self, workspace_id: str, execution_id: str, limit: int, offset: int) -> tuple[Sequence[Signal], int]:
        """Return signals of an execution, the oldest first, and how many there are in all."""
        wanted = {"executionId": execution_id, "workspaceId": workspace_id}
        found = self._collection.find(wanted).sort(_OLDEST_FIRST).skip(offset).limit(limit)
        return [self._codec.to_domain(raw) for raw in found], self._collection.count_documents(wanted)

    def _found(self, wanted: Raw) -> list[Signal]:
        return [self._codec.to_domain(raw) for raw in self._collection.find(wanted, _NO_PAYLOAD).sort(_OLDEST_FIRST)]
