"""What a process does that relays events, as a worker's batcher and the sweep do; run by tests, several at once."""

from __future__ import annotations

import random
import sys
from uuid import uuid4

from tests.contract.repositories.builders import new_event
from workflow_service.domain.events import Event
from workflow_service.repositories.mongo.connection import connect
from workflow_service.repositories.mongo.events import EventsInMongo

EXECUTIONS = ("x1", "x2", "x3")
EVENTS_EACH = 60
BATCH = 12


def all_events() -> list[Event]:
    """Return the events that the relays share, as they came to pass."""
    return [new_event(f"{execution_id}:b1", version, execution_id=execution_id)
            for version in range(1, EVENTS_EACH + 1) for execution_id in EXECUTIONS]


def relay(url: str, seed: int) -> None:
    """Relay most of the events in batches that others relay as well; print the id and number of each stored here."""
    draw = random.Random(seed)
    events = EventsInMongo(connect(url, alias=uuid4().hex))
    shared = all_events()
    for start in range(0, len(shared), BATCH):
        # the batches of different relays overlap, and come in the order of time, as outboxes do
        batch = [event for event in shared[max(0, start - BATCH):start + 2 * BATCH] if draw.random() < 0.7]
        for row in events.append(batch):
            print(row.event.event_id, row.sequence, flush=True)


if __name__ == "__main__":
    relay(sys.argv[1], int(sys.argv[2]))
