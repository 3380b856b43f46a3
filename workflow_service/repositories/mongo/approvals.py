"""Approvals on MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, EnumField, IntField
from pymongo import ASCENDING

from workflow_service.domain.approval import Approval
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.documents import DocumentsInMongo
from workflow_service.repositories.mongo.fields import DurationField, EventsField, JsonField, TextField, TextsField
from workflow_service.repositories.mongo.large_values import LargeValues

COLLECTION = "approvals"
_OLDEST_FIRST = [("requestedAt", ASCENDING), ("_id", ASCENDING)]


class ApprovalDocument(StoredDocument):
    """An approval as it is stored."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    approval_id = TextField(db_field="approvalId")
    execution_id = TextField(db_field="executionId")
    block_id = TextField(db_field="blockId")
    epoch = IntField()
    wait_id = TextField(db_field="waitId")
    ancestors = TextsField()
    type = TextField()
    title = TextField()
    payload = JsonField()
    input_schema = JsonField(db_field="inputSchema")
    assigned_to = TextField(db_field="assignedTo")
    escalate_to = TextField(db_field="escalateTo")
    timeout = DurationField(db_field="timeoutMs")
    requested_at = DateTimeField(db_field="requestedAt")
    overdue_at = DateTimeField(db_field="overdueAt")
    stopped_for = DurationField(db_field="stoppedForMs")
    status = EnumField(ApprovalStatus)
    version = IntField()
    escalation_level = IntField(db_field="escalationLevel")
    responded_at = DateTimeField(db_field="respondedAt")
    approver = TextField()
    response = JsonField()
    comments = TextField()
    due_at = DateTimeField(db_field="dueAt")
    outbox = EventsField()


class ApprovalsInMongo(DocumentsInMongo[Approval]):
    """The approvals port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        super().__init__(store, COLLECTION, Codec(ApprovalDocument, Approval, LargeValues(store),
                                                  identifier=lambda approval: approval.approval_id))

    @store_errors()
    def pending(self, workspace_id: str, *, roles: Sequence[str] | None, execution_id: str | None, block_id: str | None,
                type: str | None, limit: int, within: str | None = None) -> Sequence[Approval]:
        """Return approvals that wait for an answer, the oldest first."""
        asked = {"executionId": execution_id, "blockId": block_id, "type": type,
                 "$or": None if within is None else _family(within),
                 "assignedTo": None if roles is None else {"$in": list(roles)}}
        query = {"workspaceId": workspace_id, "status": ApprovalStatus.PENDING.value,
                 **{name: value for name, value in asked.items() if value is not None}}
        return self._found(query, limit)

    @store_errors()
    def of_execution(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution, the oldest first."""
        return self._found({"executionId": execution_id, "workspaceId": workspace_id})

    @store_errors()
    def of_family(self, workspace_id: str, execution_id: str) -> Sequence[Approval]:
        """Return all approvals of an execution and of those that are a part of it, the oldest first."""
        return self._found({"$or": _family(execution_id), "workspaceId": workspace_id})

    def _found(self, query: Raw, limit: int = 0) -> list[Approval]:
        found = self._collection.find(query).sort(_OLDEST_FIRST).limit(limit)
        return [self._codec.to_domain(raw) for raw in found]


def _family(execution_id: str) -> list[Raw]:
    return [{"executionId": execution_id}, {"ancestors": execution_id}]
