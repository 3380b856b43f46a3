"""Permits on MongoDB: a document for each pool that is in use.

Holders are fields by their keys and are counted beside, so that whether one more may come is a filter of the update
that adds it. There are as few documents as names are used at this time, so ``dueAt`` has no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.collection import Collection

from workflow_service.domain.permits import Claimant, Pool
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.writes import insert_once, new_token, repeated, update_confirmed

COLLECTION = "permits"
_ABSENT: Raw = {"$exists": False}


class PermitsInMongo:
    """The permits port."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        self._store = store

    @store_errors()
    def get(self, name: str) -> Pool | None:
        """Return a pool; None if nobody uses it."""
        raw = self._collection.find_one({"_id": name})
        return None if raw is None else _pool(raw)

    @store_errors()
    def take(self, name: str, claimant: Claimant, fence: int, limit: int, look_at: datetime) -> bool:
        """Take a permit in one update, or confirm the one that is held."""
        held = _held(claimant)
        is_next = [{"waiting.0": _ABSENT}, {"waiting.0.key": claimant.key}]
        free = {"_id": name, held: _ABSENT, "count": {"$lt": limit}, "$or": is_next}
        update = {"$set": {held: {**_raw(claimant), "fence": fence}}, "$inc": {"count": 1},
                  "$pull": {"waiting": {"key": claimant.key}}}
        confirmed = {"_id": name, f"{held}.fence": fence}
        if update_confirmed(self._collection, free, update, lambda: self._collection.find_one(confirmed) is not None):
            return True
        raw = self._collection.find_one({"_id": name})
        if raw is None:
            return self._began(name, look_at) and self.take(name, claimant, fence, limit, look_at)
        return claimant.key in raw["holders"] and self._confirm(name, claimant, fence)

    @store_errors()
    def give_back(self, name: str, claimant: Claimant, fence: int | None = None) -> bool:
        """Give a permit back in one update; False if it was not held, or under another fence."""
        held = _held(claimant)
        query: Raw = {"_id": name, held: {"$exists": True}} if fence is None else {"_id": name, f"{held}.fence": fence}
        return update_confirmed(self._collection, query, {"$unset": {held: ""}, "$inc": {"count": -1}},
                                lambda: self._collection.find_one(query) is None)

    @store_errors()
    def queue(self, name: str, claimant: Claimant, look_at: datetime) -> bool:
        """Add a claimant to the end of the queue in one update; False if it is there."""
        missing = {"_id": name, "waiting.key": {"$ne": claimant.key}}
        there = {"_id": name, "waiting.key": claimant.key}
        if update_confirmed(self._collection, missing, {"$push": {"waiting": _raw(claimant)}},
                            lambda: self._collection.find_one(there) is not None):
            return True
        if self._collection.find_one({"_id": name}, {"_id": 1}) is not None:
            return False
        return self._began(name, look_at) and self.queue(name, claimant, look_at)

    @store_errors()
    def unqueue(self, name: str, claimant: Claimant) -> bool:
        """Take a claimant out of the queue in one update; False if it was not in it."""
        there = {"_id": name, "waiting.key": claimant.key}
        return update_confirmed(self._collection, there, {"$pull": {"waiting": {"key": claimant.key}}},
                                lambda: self._collection.find_one(there) is None)

    @store_errors()
    def due(self, at: datetime, limit: int) -> Sequence[str]:
        """Return pools that the sweep is to look at."""
        return [raw["_id"] for raw in self._collection.find({"dueAt": {"$lte": at}}, {"_id": 1}).limit(limit)]

    @store_errors()
    def look_again(self, name: str, at: datetime) -> None:
        """Store when the sweep looks again; a pool that nobody uses is forgotten instead."""
        unused = {"_id": name, "count": 0, "waiting.0": _ABSENT}
        if repeated(lambda: self._collection.delete_one(unused)).deleted_count == 0:
            repeated(lambda: self._collection.update_one({"_id": name}, {"$set": {"dueAt": at}}))

    def _began(self, name: str, look_at: datetime) -> bool:
        """Store a pool that nobody has used; true as well if another was first."""
        insert_once(self._collection, {"_id": name, "holders": {}, "count": 0, "waiting": [], "dueAt": look_at,
                                       "schemaVersion": 1, "writer": new_token()})
        return True

    def _confirm(self, name: str, claimant: Claimant, fence: int) -> bool:
        """Move the fence of a permit that is held; False if a later claim holds it, or it has just been given back."""
        place = f"{_held(claimant)}.fence"
        query, update = {"_id": name, place: {"$lte": fence}}, {"$set": {place: fence}}
        return repeated(lambda: self._collection.update_one(query, update)).matched_count == 1

    @property
    def _collection(self) -> Collection[Raw]:
        return self._store.collection(COLLECTION)


def _held(claimant: Claimant) -> str:
    return f"holders.{claimant.key}"


def _raw(claimant: Claimant) -> Raw:
    return {"key": claimant.key, "workspaceId": claimant.workspace_id, "executionId": claimant.execution_id,
            "blockId": claimant.block_id, "epoch": claimant.epoch}


def _claimant(raw: Raw) -> Claimant:
    return Claimant(workspace_id=raw["workspaceId"], execution_id=raw["executionId"], block_id=raw["blockId"],
                    epoch=raw["epoch"])


def _pool(raw: Raw) -> Pool:
    return Pool(name=raw["_id"], holders={_claimant(held): held["fence"] for held in raw["holders"].values()},
                waiting=tuple(_claimant(waiting) for waiting in raw["waiting"]))
