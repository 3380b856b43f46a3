"""Block executions on MongoDB: the hot path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, EnumField, IntField
from pymongo.errors import BulkWriteError

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.statuses import BLOCK_ENDS, BlockStatus, WaitKind
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.documents import CHUNK, DocumentsInMongo
from workflow_service.repositories.mongo.fields import EventsField, JsonField, TextField, TextsField
from workflow_service.repositories.mongo.large_values import LargeValues
from workflow_service.repositories.mongo.writes import DUPLICATE_KEY, new_token, repeated
from workflow_service.repositories.versions import guarded_fields

COLLECTION = "block_executions"
_FIRST_LOOK = 4
"""Ids in the first query for a block that is open; each further one takes four times as many."""
_ENDS = frozenset(status.value for status in BLOCK_ENDS)
_OUTLINE: Raw = dict.fromkeys(("input", "output", "supplied", "outbox"), 0)
_STATUS: Raw = {"_id": 0, "workspaceId": 1, "blockId": 1, "status": 1}


class BlockDocument(StoredDocument):
    """A block execution as it is stored."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    execution_id = TextField(db_field="executionId")
    block_id = TextField(db_field="blockId")
    agent_id = TextField(db_field="agentId")
    status = EnumField(BlockStatus)
    version = IntField()
    epoch = IntField()
    fence = IntField()
    pending_edges = TextsField(db_field="pendingEdges")
    satisfied = IntField()
    lease_owner = TextField(db_field="leaseOwner")
    lease_until = DateTimeField(db_field="leaseUntil")
    attempt = IntField()
    retry_count = IntField(db_field="retryCount")
    lost_leases = IntField(db_field="lostLeases")
    sent = IntField()
    due_at = DateTimeField(db_field="dueAt")
    retry_at = DateTimeField(db_field="retryAt")
    waits_for = TextField(db_field="waitsFor")
    starts_at = DateTimeField(db_field="startsAt")
    permits = TextsField()
    started_at = DateTimeField(db_field="startedAt")
    completed_at = DateTimeField(db_field="completedAt")
    input = JsonField()
    output = JsonField()
    error = JsonField()
    round = IntField()
    parked_for = EnumField(WaitKind, db_field="parkedFor")
    supplied = JsonField()
    chosen = TextsField()
    released = BooleanField()
    outbox = EventsField()


class BlocksInMongo(DocumentsInMongo[BlockExecution]):
    """The block executions port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        super().__init__(store, COLLECTION, Codec(
            BlockDocument, BlockExecution, LargeValues(store), identifier=lambda block: block.id,
            owner=lambda block: f"{block.id}:{block.epoch}:{block.fence}"))

    @store_errors()
    def insert_all(self, blocks: Sequence[BlockExecution]) -> None:
        """Store new blocks; those that are there already stay as they are."""
        rows = [{**self._codec.from_domain(block), "writer": new_token()} for block in blocks]
        if rows:
            repeated(lambda: self._insert_missing(rows))

    @store_errors()
    def get_all(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return these blocks of one execution; those that are missing are left out."""
        return self.get_many(workspace_id, _ids(execution_id, block_ids))

    @store_errors()
    def get_many(self, workspace_id: str, identifiers: Sequence[str]) -> Sequence[BlockExecution]:
        """Return blocks of any executions by their ids; those that are missing are left out."""
        return [self._codec.to_domain(raw) for raw in self._find(workspace_id, identifiers)]

    @store_errors()
    def outlines(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Sequence[BlockExecution]:
        """Return the same without what may be large."""
        return [self._codec.to_domain(raw) for raw in self._find(workspace_id, _ids(execution_id, block_ids), _OUTLINE)]

    @store_errors()
    def statuses(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> Mapping[str, BlockStatus]:
        """Return the statuses of these blocks of one execution; missing ones are left out."""
        return {raw["blockId"]: BlockStatus(raw["status"])
                for raw in self._find(workspace_id, _ids(execution_id, block_ids), _STATUS)}

    @store_errors()
    def extend_lease(self, block: BlockExecution, until: datetime) -> bool:
        """Move the lease of a running block; False if the fence moved on or it does not run any more."""
        query = {"_id": block.id, "workspaceId": block.workspace_id, "fence": block.fence,
                 "status": BlockStatus.RUNNING.value}
        update = {"$set": {"leaseUntil": until, "dueAt": until}}
        return repeated(lambda: self._collection.update_one(query, update)).matched_count == 1

    @store_errors()
    def defer(self, block: BlockExecution, due_at: datetime, sent: int) -> None:
        """Store when the sweep looks again and how often it sent the block, if the version has not moved on."""
        update = {"$set": {"dueAt": due_at, "sent": sent}}
        repeated(lambda: self._collection.update_one(self._at_version(block), update))

    @store_errors()
    def first_open(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> str | None:
        """Return the id of the first block that has not ended; None if all have."""
        for chunk in _growing_chunks(block_ids):
            still_open = {raw["blockId"] for raw in self._find(workspace_id, _ids(execution_id, chunk), _STATUS)
                          if raw["status"] not in _ENDS}
            if still_open:
                return next(block_id for block_id in chunk if block_id in still_open)
        return None

    def _find(self, workspace_id: str, ids: Sequence[str], wanted: Raw | None = None) -> Iterator[Raw]:
        """Yield blocks of this workspace by their ids."""
        return (raw for raw in self._by_ids(ids, wanted) if raw["workspaceId"] == workspace_id)

    def _insert_missing(self, rows: list[Raw]) -> None:
        try:
            self._collection.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            if any(fault["code"] != DUPLICATE_KEY for fault in error.details["writeErrors"]) or \
                    error.details["writeConcernErrors"]:
                raise

    def _guards(self, before: BlockExecution, after: BlockExecution) -> Raw:
        return self._codec.stored(before, ("fence", "status", *guarded_fields(before, after)))

    def _rested(self) -> tuple[str, ...]:
        return "due_at", "released"


def _growing_chunks(block_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut ids into few at first, as what is open is mostly found at once, then more and more."""
    start, size = 0, _FIRST_LOOK
    while start < len(block_ids):
        yield block_ids[start:start + size]
        start, size = start + size, min(size * 4, CHUNK)


def _ids(execution_id: str, block_ids: Sequence[str]) -> list[str]:
    return [block_execution_id(execution_id, block_id) for block_id in block_ids]
