"""Standing holds on MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, EnumField
from pymongo import ASCENDING
from pymongo.collection import Collection

from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.repositories.mongo.codec import Codec, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import TextField
from workflow_service.repositories.mongo.large_values import LargeValues
from workflow_service.repositories.mongo.writes import insert_once, new_token, repeated

COLLECTION = "standing_holds"


class StandingHoldDocument(StoredDocument):
    """A standing hold as it is stored."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    hold_id = TextField(db_field="holdId")
    scope = EnumField(HoldScope)
    target = TextField()
    clock = EnumField(ClockRule)
    reason = TextField()
    created_by = TextField(db_field="createdBy")
    created_at = DateTimeField(db_field="createdAt")
    status = EnumField(HoldStatus)
    progress = TextField()


class StandingHoldsInMongo:
    """The standing holds port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        self._store = store
        self._codec = Codec(StandingHoldDocument, StandingHold, LargeValues(store), identifier=lambda hold: hold.key)

    @store_errors()
    def insert(self, hold: StandingHold) -> bool:
        """Store a new hold; False if there is one for its scope and target."""
        return insert_once(self._collection, {**self._codec.from_domain(hold), "writer": new_token()})

    @store_errors()
    def of_workspace(self, workspace_id: str) -> Sequence[StandingHold]:
        """Return the holds of a workspace and of the whole service, the oldest first."""
        own_or_all = {"workspaceId": {"$in": [workspace_id, None]}}
        return self._found(own_or_all)

    @store_errors()
    def unfinished(self) -> Sequence[StandingHold]:
        """Return the holds that are being applied or lifted."""
        return self._found({"status": {"$ne": HoldStatus.APPLIED.value}})

    @store_errors()
    def advance(self, hold: StandingHold, status: HoldStatus, progress: str) -> bool:
        """Store how far a hold has come, if it is as it was read; False too if a lost reply leaves that open."""
        update = {"$set": {"status": status.value, "progress": progress}}
        return repeated(lambda: self._collection.update_one(_as_read(hold), update)).matched_count == 1

    @store_errors()
    def remove(self, hold: StandingHold) -> None:
        """Forget a hold that is being lifted."""
        gone = {"_id": hold.key, "holdId": hold.hold_id, "status": HoldStatus.LIFTING.value}
        repeated(lambda: self._collection.delete_one(gone))

    def _found(self, query: Raw) -> list[StandingHold]:
        found = self._collection.find(query).sort([("createdAt", ASCENDING), ("_id", ASCENDING)])
        return [self._codec.to_domain(raw) for raw in found]

    @property
    def _collection(self) -> Collection[Raw]:
        return self._store.collection(COLLECTION)


def _as_read(hold: StandingHold) -> Raw:
    return {"_id": hold.key, "holdId": hold.hold_id, "status": hold.status.value, "progress": hold.progress}
