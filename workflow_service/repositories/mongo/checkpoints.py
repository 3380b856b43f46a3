"""Checkpoints that the State Management Service has not taken yet, on MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from mongoengine import DateTimeField, EnumField, IntField
from pymongo import ASCENDING, DeleteOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.statuses import BlockStatus
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import JsonField, TextField
from workflow_service.repositories.mongo.large_values import LargeValues
from workflow_service.repositories.mongo.writes import DUPLICATE_KEY, repeated
from workflow_service.services.ports import Clock

COLLECTION = "outbox"
_OLDEST_FIRST = [("keptAt", ASCENDING), ("_id", ASCENDING)]


class CheckpointDocument(StoredDocument):
    """A checkpoint that is kept."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    execution_id = TextField(db_field="executionId")
    block_id = TextField(db_field="blockId")
    epoch = IntField()
    fence = IntField()
    status = EnumField(BlockStatus)
    retry_count = IntField(db_field="retryCount")
    agent_id = TextField(db_field="agentId")
    input = JsonField()
    output = JsonField()
    error = JsonField()
    started_at = DateTimeField(db_field="startedAt")
    completed_at = DateTimeField(db_field="completedAt")
    kept_at = DateTimeField(db_field="keptAt")
    """Since when a checkpoint of this block is kept."""


class CheckpointsInMongo:
    """The checkpoints port."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the database.

        Args:
            store: the database.
            clock: says since when a block's checkpoints are kept.
        """
        self._store = store
        self._clock = clock
        self._codec = Codec(
            CheckpointDocument, Checkpoint, LargeValues(store), identifier=_identifier,
            # the name that the block gave its files: a large output is stored once
            owner=lambda checkpoint: f"{_identifier(checkpoint)}:{checkpoint.epoch}:{checkpoint.fence}")

    @store_errors()
    def add(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints; a later one of the same block takes the place, and the age, of an earlier one."""
        now = self._clock.now()
        updates = [(_not_after(checkpoint), self._replacement(checkpoint, now)) for checkpoint in checkpoints]
        if updates:
            repeated(lambda: self._replace(updates))

    @store_errors()
    def oldest(self, limit: int) -> Sequence[Checkpoint]:
        """Return up to ``limit`` of them, the longest kept first."""
        return [self._codec.to_domain(raw) for raw in self._collection.find().sort(_OLDEST_FIRST).limit(limit)]

    @store_errors()
    def remove(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Forget exactly these; a later one of the same block stays."""
        deletes = [DeleteOne({"_id": _identifier(checkpoint), **self._codec.stored(checkpoint, _MOMENT)})
                   for checkpoint in checkpoints]
        if deletes:
            repeated(lambda: self._collection.bulk_write(deletes, ordered=False))

    @store_errors()
    def lag(self, at: datetime) -> timedelta | None:
        """Return how long the oldest one has been waiting; None if there is none."""
        oldest = self._collection.find_one({}, {"keptAt": 1}, sort=_OLDEST_FIRST)
        return at - oldest["keptAt"] if oldest else None

    def _replacement(self, checkpoint: Checkpoint, now: datetime) -> Raw:
        raw = self._codec.from_domain(checkpoint)
        del raw["_id"]  # the filter names it
        update = {"$set": raw, "$setOnInsert": {"keptAt": now}}
        absent = self._codec.absent(checkpoint)
        return {**update, "$unset": absent} if absent else update

    def _replace(self, updates: Sequence[tuple[Raw, Raw]]) -> None:
        """Update what is earlier, insert what is missing, leave what is later, which shows as a duplicate id."""
        try:
            self._collection.bulk_write([UpdateOne(query, update, upsert=True) for query, update in updates],
                                        ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if not faults or any(fault["code"] != DUPLICATE_KEY for fault in faults):
                raise
            # an earlier one may have been inserted at the same moment
            again = [updates[fault["index"]] for fault in faults]
            self._collection.bulk_write([UpdateOne(query, update) for query, update in again], ordered=False)

    @property
    def _collection(self) -> Collection[Raw]:
        return self._store.collection(COLLECTION)


_MOMENT = ("workspace_id", "epoch", "fence", "status")
"""What tells one checkpoint of a block from another."""


def _identifier(checkpoint: Checkpoint) -> str:
    return block_execution_id(checkpoint.execution_id, checkpoint.block_id)


def _not_after(checkpoint: Checkpoint) -> Raw:
    """Return the filter for what is stored of this block, if it is not later."""
    return {"_id": _identifier(checkpoint), "$or": [
        {"epoch": {"$lt": checkpoint.epoch}}, {"epoch": checkpoint.epoch, "fence": {"$lte": checkpoint.fence}}]}
