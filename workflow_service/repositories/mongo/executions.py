"""Executions on MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, EnumField, IntField
from pymongo import ASCENDING, DESCENDING

from workflow_service.domain.commands import CancelMode, ExecutionFilter
from workflow_service.domain.execution import Execution, Slot
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.mongo.child_fields import BodyField, ParentField
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.documents import DocumentsInMongo
from workflow_service.repositories.mongo.execution_queries import PARENT, behind_place, query_of
from workflow_service.repositories.mongo.fields import (
    AttributesField,
    DurationField,
    EventsField,
    JsonField,
    SlotsField,
    TextField,
    TextsField,
    slot_to_raw,
)
from workflow_service.repositories.mongo.large_values import LargeValues
from workflow_service.repositories.mongo.writes import repeated, update_confirmed
from workflow_service.services.ports import Key

COLLECTION = "executions"
_ENDS = sorted(status.value for status in ExecutionStatus if status.is_terminal)

_NOT_LISTED: Raw = dict.fromkeys(("input", "globalContext", "restartSupplied", "outbox"), 0)
"""What a list does not show: it may be large, and then in another collection."""


class ExecutionDocument(StoredDocument):
    """An execution as it is stored; what stands in the customer's model beyond this is read from its blocks."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    execution_id = TextField(db_field="executionId")
    template_id = TextField(db_field="templateId")
    template_version = TextField(db_field="templateVersion")
    created_by = TextField(db_field="createdBy")
    created_at = DateTimeField(db_field="createdAt")
    input = JsonField()
    context = JsonField(db_field="globalContext")
    parent = ParentField()
    ancestors = TextsField()
    body = BodyField()
    tags = TextsField()
    attributes = AttributesField()
    idempotency_key = TextField(db_field="idempotencyKey")
    request_digest = TextField(db_field="requestDigest")
    status = EnumField(ExecutionStatus)
    version = IntField()
    generation = IntField()
    holds = TextsField()
    hold_number = IntField(db_field="holdNumber")
    clock_stopped_by = TextsField(db_field="clockStoppedBy")
    stopped_since = DateTimeField(db_field="stoppedSince")
    stopped_for = DurationField(db_field="stoppedForMs")
    reason = TextField()
    ended_by = TextField(db_field="endedBy")
    cancel_mode = EnumField(CancelMode, db_field="cancelMode")
    slots = SlotsField()
    slot_queue = TextsField(db_field="slotQueue")
    restart_targets = JsonField(db_field="restartTargets")
    restart_supplied = JsonField(db_field="restartSupplied")
    revoked = TextsField()
    withdrawing = JsonField()
    remaining = DurationField(db_field="remainingMs")
    deadline = DateTimeField()
    due_at = DateTimeField(db_field="dueAt")
    started_at = DateTimeField(db_field="startedAt")
    completed_at = DateTimeField(db_field="completedAt")
    error = JsonField()
    outbox = EventsField()


class ExecutionsInMongo(DocumentsInMongo[Execution]):
    """The executions port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        super().__init__(store, COLLECTION, Codec(ExecutionDocument, Execution, LargeValues(store),
                                                  identifier=lambda execution: execution.execution_id))

    @store_errors()
    def unchanged(self, executions: Sequence[Execution]) -> Sequence[Execution]:
        """Return those of which no later version is stored."""
        found = self._by_ids([execution.execution_id for execution in executions], {"workspaceId": 1, "version": 1})
        stored = {(raw["workspaceId"], raw["_id"], raw["version"]) for raw in found}
        return [execution for execution in executions
                if (execution.workspace_id, execution.execution_id, execution.version) in stored]

    @store_errors()
    def take_slot(self, workspace_id: str, execution_id: str, slot: Slot, limit: int) -> bool:
        """Add a slot in one update if fewer than ``limit`` are taken."""
        own, raw = {"_id": execution_id, "workspaceId": workspace_id}, slot_to_raw(slot)
        return update_confirmed(
            self._collection, {**own, f"slots.{limit - 1}": {"$exists": False}, "slots": {"$ne": raw}},
            {"$push": {"slots": raw}}, lambda: self._collection.find_one({**own, "slots": raw}) is not None)

    @store_errors()
    def free_slots(self, workspace_id: str, execution_id: str, slots: Sequence[Slot]) -> bool:
        """Take these slots away in one update; False if none of them was there."""
        gone = {"$in": [slot_to_raw(slot) for slot in slots]}
        query = {"_id": execution_id, "workspaceId": workspace_id, "slots": gone}
        return update_confirmed(self._collection, query, {"$pull": {"slots": gone}},
                                lambda: self._collection.find_one(query) is None)

    @store_errors()
    def queue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Add blocks to the end of the slot queue, each once, in one update."""
        self._update(workspace_id, execution_id, {"$addToSet": {"slotQueue": {"$each": list(block_ids)}}})

    @store_errors()
    def unqueue_blocks(self, workspace_id: str, execution_id: str, block_ids: Sequence[str]) -> None:
        """Take blocks out of the slot queue in one update."""
        self._update(workspace_id, execution_id, {"$pull": {"slotQueue": {"$in": list(block_ids)}}})

    def _update(self, workspace_id: str, execution_id: str, update: Raw) -> None:
        query = {"_id": execution_id, "workspaceId": workspace_id}
        repeated(lambda: self._collection.update_one(query, update))

    @store_errors()
    def live(self, workspace_id: str | None, after: str, limit: int) -> Sequence[Key]:
        """Return executions that have not ended, by their ids, from the one after ``after``."""
        query: Raw = {"status": {"$nin": _ENDS}, "_id": {"$gt": after}}
        if workspace_id is not None:
            query["workspaceId"] = workspace_id
        found = self._collection.find(query, {"workspaceId": 1}).sort("_id", ASCENDING).limit(limit)
        return [Key(workspace_id=raw["workspaceId"], identifier=raw["_id"]) for raw in found]

    @store_errors()
    def live_children(self, workspace_id: str, execution_id: str, limit: int) -> Sequence[Execution]:
        """Return the executions right below this one that have not ended."""
        query = {PARENT: execution_id, "workspaceId": workspace_id, "status": {"$nin": _ENDS}}
        return [self._codec.to_domain(raw) for raw in self._collection.find(query).limit(limit)]

    @store_errors()
    def child_counts(self, workspace_id: str, execution_id: str) -> Mapping[tuple[str, int], Mapping[str, int]]:
        """Return for each block and epoch how many executions right below this one have which status."""
        group = {"blockId": "$parent.blockId", "epoch": "$parent.epoch", "status": "$status"}
        found = self._collection.aggregate([
            {"$match": {PARENT: execution_id, "workspaceId": workspace_id}},
            {"$group": {"_id": group, "count": {"$sum": 1}}}])
        counts: dict[tuple[str, int], dict[str, int]] = {}
        for raw in found:
            counts.setdefault((raw["_id"]["blockId"], raw["_id"]["epoch"]), {})[raw["_id"]["status"]] = raw["count"]
        return counts

    @store_errors()
    def page(self, workspace_id: str, wanted: ExecutionFilter) -> tuple[Sequence[Execution], int]:
        """Return executions, the latest created first, and how many there are in all."""
        # the embedded server takes the index of the first, and the one of parents does not know who has none
        query = {**query_of(wanted), "workspaceId": workspace_id, PARENT: wanted.parent_id}
        behind = query if wanted.after is None else {"$and": [query, *behind_place(wanted.after)]}
        found = self._collection.find(behind, _NOT_LISTED).sort([("createdAt", DESCENDING), ("_id", ASCENDING)])
        page = [self._codec.to_domain(raw) for raw in found.skip(wanted.offset).limit(wanted.limit)]
        return page, self._collection.count_documents(query)
