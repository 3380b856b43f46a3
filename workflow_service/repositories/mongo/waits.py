"""Waits on MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, EnumField, IntField

from workflow_service.domain.flow import SignalMode
from workflow_service.domain.statuses import WaitKind, WaitStatus
from workflow_service.domain.wait import Wait
from workflow_service.repositories.mongo.child_fields import RoundField
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.documents import DocumentsInMongo
from workflow_service.repositories.mongo.fields import DurationField, EventsField, JsonField, TextField, TextsField
from workflow_service.repositories.mongo.large_values import LargeValues

COLLECTION = "waits"


class WaitDocument(StoredDocument):
    """A wait as it is stored."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    execution_id = TextField(db_field="executionId")
    block_id = TextField(db_field="blockId")
    epoch = IntField()
    kind = EnumField(WaitKind)
    revision = IntField()
    status = EnumField(WaitStatus)
    version = IntField()
    payload = JsonField()
    children = RoundField()
    stopped_for = DurationField(db_field="stoppedForMs")
    deadline = DateTimeField()
    is_movable = BooleanField(db_field="isMovable")
    ask_at = DateTimeField(db_field="askAt")
    signals = TextsField()
    signal_mode = EnumField(SignalMode, db_field="signalMode")
    due_at = DateTimeField(db_field="dueAt")
    outbox = EventsField()


class WaitsInMongo(DocumentsInMongo[Wait]):
    """The waits port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        super().__init__(store, COLLECTION,
                         Codec(WaitDocument, Wait, LargeValues(store), identifier=lambda wait: wait.id))

    @store_errors()
    def open_of(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return the open waits of an execution."""
        return self._found({"executionId": execution_id, "workspaceId": workspace_id, "status": WaitStatus.OPEN.value})

    @store_errors()
    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Wait]:
        """Return all waits of an execution, in any order."""
        return self._found({"executionId": execution_id, "workspaceId": workspace_id})

    def _found(self, query: Raw) -> list[Wait]:
        return [self._codec.to_domain(raw) for raw in self._collection.find(query)]
