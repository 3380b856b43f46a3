"""The history of executions in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from threading import Lock

from workflow_service.domain.events import Event
from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import StoredEvent


class EventsInMemory:
    """The events port."""

    def __init__(self) -> None:
        """Start empty."""
        self._histories: defaultdict[str, list[StoredEvent]] = defaultdict(list)
        self._known: set[str] = set()
        self._lock = Lock()

    def append(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store events under the next sequence numbers and return those stored now; each event is stored once."""
        added = []
        with self._lock:
            for event in events:
                if event.event_id not in self._known:
                    history = self._histories[event.execution_id]
                    row = StoredEvent(sequence=len(history) + 1, event=as_stored(event))
                    self._known.add(event.event_id)
                    history.append(row)
                    added.append(as_stored(row))
        return added

    def of_execution(self, workspace_id: str, execution_id: str, *, after: int = 0,
                     limit: int = 10_000) -> Sequence[StoredEvent]:
        """Return the history in order, from the sequence number after ``after``."""
        with self._lock:
            rows = self._histories.get(execution_id, [])[after:]
            return [as_stored(row) for row in rows if row.event.workspace_id == workspace_id][:limit]
