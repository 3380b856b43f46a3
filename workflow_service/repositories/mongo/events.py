"""The history of executions on MongoDB: numbered without gaps by any number of relays at once.

The number of an event is one more than the highest that its execution has. Two unique indexes decide: on (execution,
sequence), so that two relays can't give the same number, and on the event's id, which is ``_id``, so that an event is
stored once. An ordered insert ends at the first row that collides, and every row before it is stored. A row is only
sent after the one with the number before it, or when that one was seen to be there, and so no relay can leave a gap,
whenever it dies.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from threading import Lock
from typing import Any, ClassVar

from mongoengine import DateTimeField, IntField
from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect, BulkWriteError, ServerSelectionTimeoutError

from workflow_service.domain.errors import Unavailable
from workflow_service.domain.events import Event
from workflow_service.repositories.mongo.codec import SCHEMA_VERSION, StoredDocument
from workflow_service.repositories.mongo.connection import Raw, Store, store_errors
from workflow_service.repositories.mongo.fields import JsonField, TextField, event_from_raw, event_to_raw
from workflow_service.repositories.mongo.heads import Heads
from workflow_service.repositories.mongo.writes import DUPLICATE_KEY
from workflow_service.services.ports import StoredEvent
from workflow_service.services.recent import Recent

COLLECTION = "events"
_MAX_COLLISIONS = 100
"""Over one execution, in one call, before it gives up; the sweep relays what is left."""
_PAUSE = timedelta(milliseconds=1)
"""Added to the longest pause with every collision over the same execution."""
_IDS_KEPT = 100_000


class EventDocument(StoredDocument):
    """An event of the history as it is stored; its ``_id`` is the event's id."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION}

    event_id = TextField(db_field="eventId")
    execution_id = TextField(db_field="executionId")
    sequence = IntField()
    type = TextField()
    source = TextField()
    version = IntField()
    at = DateTimeField()
    block_id = TextField(db_field="blockId")
    payload = JsonField()

    @classmethod
    def from_domain(cls, row: StoredEvent) -> Raw:
        """Return the document of an event."""
        return {"_id": row.event.event_id, "sequence": row.sequence, **event_to_raw(row.event),
                "schemaVersion": SCHEMA_VERSION}

    @classmethod
    def to_domain(cls, raw: Raw) -> StoredEvent:
        """Return the event of a document."""
        return StoredEvent(sequence=raw["sequence"], event=event_from_raw(raw))


class EventsInMongo:
    """The events port. It remembers the highest numbers and the latest ids, so the usual case is one insert."""

    def __init__(self, store: Store) -> None:
        """Take the database."""
        self._store = store
        self._heads = Heads(lambda: self._collection)
        self._known: Recent[bool] = Recent(_IDS_KEPT)
        self._untold: list[StoredEvent] = []
        """Events that a call has stored before it failed; the next one returns them."""
        self._lock = Lock()

    @store_errors()
    def append(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store events under the next sequence numbers and return those stored now; each event is stored once."""
        pending = self._unknown(events)
        collisions: Counter[str] = Counter()
        while pending:
            rows = self._numbered(pending)
            count = self._insert(rows)
            self._remember(rows[:count])
            pending = []
            if count < len(rows):
                execution_id = rows[count].event.execution_id
                collisions[execution_id] += 1
                self._part(collisions[execution_id])
                pending = self._missing(rows[count:])
        return self._take_untold()

    @store_errors()
    def of_execution(self, workspace_id: str, execution_id: str, *, after: int = 0,
                     limit: int = 10_000) -> Sequence[StoredEvent]:
        """Return the history in order, from the sequence number after ``after``."""
        query = {"executionId": execution_id, "sequence": {"$gt": after}, "workspaceId": workspace_id}
        found = self._collection.find(query).sort("sequence", ASCENDING).limit(limit)
        return _without_gap(EventDocument.to_domain(raw) for raw in found)

    def _part(self, collisions: int) -> None:
        """Let relays that collide again and again part by chance. Raises errors.Unavailable after too many times."""
        if collisions > _MAX_COLLISIONS:
            raise Unavailable("MongoDB")
        time.sleep(random.uniform(0, (collisions - 1) * _PAUSE.total_seconds()))

    def _unknown(self, events: Iterable[Event]) -> list[Event]:
        """Return the events that are not known to be stored, each once."""
        return [event for event_id, event in {event.event_id: event for event in events}.items()
                if self._known.get(event_id) is None]

    def _numbered(self, events: Iterable[Event]) -> list[StoredEvent]:
        heads: dict[str, int] = {}
        rows = []
        for event in events:
            execution_id = event.execution_id
            if execution_id not in heads:
                heads[execution_id] = self._heads.get(execution_id)
            heads[execution_id] += 1
            rows.append(StoredEvent(sequence=heads[execution_id], event=event))
        return rows

    def _insert(self, rows: Sequence[StoredEvent]) -> int:
        """Insert rows in their order up to the first that collides; return how many, from the first on, are stored."""
        try:
            self._collection.insert_many([EventDocument.from_domain(row) for row in rows], ordered=True)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if not faults or faults[0]["code"] != DUPLICATE_KEY:
                raise
            return int(faults[0]["index"])
        except ServerSelectionTimeoutError:
            raise
        except AutoReconnect:
            stored = self._stored(rows)
            return next((index for index, row in enumerate(rows)
                         if stored.get(row.event.event_id) != row.sequence), len(rows))
        return len(rows)

    def _missing(self, rows: Sequence[StoredEvent]) -> list[Event]:
        """Return what is still to be stored after the first collided, and learn the highest number of its execution."""
        execution_id = rows[0].event.execution_id
        stored = self._stored([row for row in rows if row.event.execution_id == execution_id])
        for event_id in stored:
            self._known.set(event_id, True)
        self._heads.look_again(execution_id)
        return [row.event for row in rows if row.event.event_id not in stored]

    def _stored(self, rows: Sequence[StoredEvent]) -> dict[str, int]:
        """Return which of these events are stored, with their numbers."""
        query = {"_id": {"$in": [row.event.event_id for row in rows]}}
        return {raw["_id"]: raw["sequence"] for raw in self._collection.find(query, {"sequence": 1})}

    def _remember(self, rows: Sequence[StoredEvent]) -> None:
        for row in rows:
            self._known.set(row.event.event_id, True)
            self._heads.set(row.event.execution_id, row.sequence)
        with self._lock:
            self._untold += rows

    def _take_untold(self) -> Sequence[StoredEvent]:
        with self._lock:
            untold, self._untold = self._untold, []
        return untold

    @property
    def _collection(self) -> Collection[Raw]:
        return self._store.collection(COLLECTION)


def _without_gap(rows: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Return the rows up to a gap: one that is being stored while the server reads may be passed over."""
    found: list[StoredEvent] = []
    for row in rows:
        if found and row.sequence != found[-1].sequence + 1:
            break
        found.append(row)
    return found
