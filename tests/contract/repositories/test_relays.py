"""Relays in processes of their own, some of them killed: the history has no gap and no double."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.contract.repositories.builders import HERE, new_event
from tests.contract.repositories.relay_process import EVENTS_EACH, EXECUTIONS, all_events
from workflow_service.domain.events import Event
from workflow_service.repositories.mongo import events
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes

ROOT = Path(__file__).parents[3]
PATIENCE_S = 40


@pytest.fixture
def history(store: Store) -> EventsInMongo:
    """The history in the test's database."""
    create_indexes(store, {events.COLLECTION: INDEXES[events.COLLECTION]})
    return EventsInMongo(store)


def start_relay(url: str, seed: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "tests.contract.repositories.relay_process", url, str(seed)],
                            cwd=ROOT, stdout=subprocess.PIPE, text=True)


def assert_complete(history: EventsInMongo) -> dict[str, int]:
    """Check the history of each execution and return the number of each event."""
    found: dict[str, int] = {}
    for execution_id in EXECUTIONS:
        rows = history.of_execution(HERE, execution_id)
        assert [row.sequence for row in rows] == list(range(1, EVENTS_EACH + 1))
        found |= {row.event.event_id: row.sequence for row in rows}
    assert set(found) == {event.event_id for event in all_events()}
    return found


def test_relays_at_once_number_each_event_once(mongodb_url: str, history: EventsInMongo) -> None:
    relays = [start_relay(mongodb_url, seed) for seed in range(4)]
    told = [line.split() for relay in relays for line in relay.communicate(timeout=PATIENCE_S)[0].splitlines()]
    assert [relay.returncode for relay in relays] == [0] * len(relays)
    told += [[row.event.event_id, str(row.sequence)] for row in history.append(all_events())]
    numbers = assert_complete(history)
    assert set(Counter(event_id for event_id, _ in told).values()) == {1}
    assert {event_id: int(number) for event_id, number in told} == numbers


def test_a_relay_that_knows_old_numbers_of_many_executions_stores_and_tells_all(store: Store,
                                                                                history: EventsInMongo) -> None:
    """Each of them collides once, which is no sign that anything is wrong."""
    def events_at(version: int) -> list[Event]:
        return [new_event(f"{name}:b1", version, execution_id=name) for name in (f"x{n}" for n in range(150))]

    history.append(events_at(1))
    EventsInMongo(store).append(events_at(2))
    told = history.append(events_at(3))
    assert {(row.event.event_id, row.sequence) for row in told} == {(event.event_id, 3) for event in events_at(3)}


def test_relays_that_both_begin_a_history_store_its_first_event_once(store: Store, history: EventsInMongo) -> None:
    first, later = new_event("x1", 1), [new_event("x1:b1", version) for version in (1, 2)]
    another = EventsInMongo(store)

    told = [history.append([first, later[0]]), another.append([first, *later])]

    assert [[(row.sequence, row.event) for row in rows] for rows in told] == [[(1, first), (2, later[0])],
                                                                              [(3, later[1])]]
    assert history.of_execution(HERE, "x1") == [*told[0], *told[1]]


def test_killed_relays_leave_no_gap(mongodb_url: str, history: EventsInMongo) -> None:
    for round_number in range(3):
        relays = [start_relay(mongodb_url, seed) for seed in (2 * round_number, 2 * round_number + 1)]
        wait_for_events(history, at_least=(round_number + 1) * 15)
        for relay in relays:
            relay.kill()
            relay.communicate(timeout=PATIENCE_S)
        for execution_id in EXECUTIONS:
            rows = history.of_execution(HERE, execution_id)
            assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    history.append(all_events())
    assert_complete(history)


def wait_for_events(history: EventsInMongo, at_least: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(history.of_execution(HERE, EXECUTIONS[0])) < at_least:
        assert time.monotonic() < deadline, "the relays do not get on"
        time.sleep(0.005)
