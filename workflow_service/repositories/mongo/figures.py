"""Figures out of MongoDB: counts that end at a limit, each served by an index that is there for other reasons.

What is on its way is found by ``dueAt``, whose index is sparse: it holds nothing that rests. Parked blocks have no
``dueAt``, so they are counted by what they wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import ASCENDING

from workflow_service.domain.permits import KINDS, kind_of
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, WaitKind, WaitStatus
from workflow_service.repositories.mongo import approvals, blocks, checkpoints, executions, permits, waits
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.services.figures import LIVE, MOST_COUNTED, MOST_READ, ON_THEIR_WAY, Figures, ready_for
from workflow_service.services.ports import CheckpointRepository, Clock

_PATIENCE = timedelta(seconds=2)
_EVER: Raw = {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}
"""Any instant; asked so, and not by ``$exists``, because that is what the sparse index serves on every server."""
_COLLECTIONS = {"blocks": blocks.COLLECTION, "executions": executions.COLLECTION, "waits": waits.COLLECTION,
                "approvals": approvals.COLLECTION}


class FiguresInMongo:
    """The figures port."""

    def __init__(self, store: Store, checkpoints: CheckpointRepository, clock: Clock, lease: timedelta) -> None:
        """Take the database.

        Args:
            store: the database.
            checkpoints: knows for how long they have waited.
            clock: the time that documents are due by.
            lease: the length of a lease.
        """
        self._store = store
        self._checkpoints = checkpoints
        self._clock = clock
        self._lease = lease

    @store_errors()
    def read(self) -> Figures:
        """Return the figures of this moment."""
        with pymongo.timeout(_PATIENCE.total_seconds()):
            return self._read(self._clock.now())

    def _read(self, now: datetime) -> Figures:
        found = self._on_their_way()
        pending = {"status": ApprovalStatus.PENDING.value}
        approvals_pending = self._count(approvals.COLLECTION, pending)
        at_agents = {"dueAt": _EVER, "kind": WaitKind.AGENT.value, "status": WaitStatus.OPEN.value}
        return Figures(
            executions={status: self._count(executions.COLLECTION, {"status": status.value}) for status in LIVE},
            blocks={status: self._count(blocks.COLLECTION, {"dueAt": _EVER, "status": status.value})
                    for status in ON_THEIR_WAY},
            oldest_ready=max((ready_for(raw["dueAt"] - now, raw.get("sent", 0), self._lease) for raw in found
                              if raw["status"] == BlockStatus.READY.value), default=None),
            due={kind: self._count(name, {"dueAt": {"$lte": now}}) for kind, name in _COLLECTIONS.items()},
            parked={WaitKind.APPROVAL: approvals_pending, WaitKind.AGENT: self._count(waits.COLLECTION, at_agents)},
            permit_waits=self._permit_waits(), approvals_pending=approvals_pending,
            approvals_overdue=self._count(approvals.COLLECTION, {**pending, "overdueAt": {"$lte": now}}),
            checkpoints_waiting=self._store.collection(checkpoints.COLLECTION).estimated_document_count(),
            checkpoint_lag=self._checkpoints.lag(now),
            outbox_lag=max((now - at for at in _event_times(found)), default=None))

    def _on_their_way(self) -> list[Raw]:
        fields = {"_id": 0, "status": 1, "sent": 1, "dueAt": 1, "outbox.at": 1}
        found = self._store.collection(blocks.COLLECTION).find({"dueAt": _EVER}, fields).limit(MOST_READ)
        return list(found if self._store.is_embedded else found.sort("dueAt", ASCENDING))

    def _permit_waits(self) -> dict[str, int]:
        found = self._store.collection(permits.COLLECTION).find(
            {"waiting.0": {"$exists": True}}, {"waiting.epoch": 1}).limit(MOST_READ)
        waiting = [(kind_of(raw["_id"]), len(raw["waiting"])) for raw in found]
        return {kind: sum(count for other, count in waiting if other == kind) for kind in KINDS}

    def _count(self, name: str, query: Raw) -> int:
        return self._store.collection(name).count_documents(query, limit=MOST_COUNTED)


def _event_times(found: Iterable[Raw]) -> Iterator[Any]:
    for raw in found:
        yield from (event["at"] for event in raw.get("outbox", ()) if "at" in event)
