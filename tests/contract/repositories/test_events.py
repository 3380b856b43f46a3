"""The history of executions: numbered without gaps, each event once, whoever appends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, new_event
from workflow_service.domain.events import Event
from workflow_service.services.ports import EventRepository, StoredEvent


def events_of(execution_id: str, count: int, source: str = "b1") -> list[Event]:
    return [new_event(f"{execution_id}:{source}", version, execution_id=execution_id)
            for version in range(1, count + 1)]


def ids(rows: Sequence[StoredEvent]) -> list[str]:
    return [row.event.event_id for row in rows]


def numbers(rows: Sequence[StoredEvent]) -> list[int]:
    return [row.sequence for row in rows]


def test_events_are_numbered_from_one_in_their_order(event_repository: EventRepository) -> None:
    events = events_of("x1", 3)
    added = event_repository.append(events)
    assert [(row.sequence, row.event) for row in added] == list(enumerate(events, start=1))
    assert event_repository.of_execution(HERE, "x1") == added


def test_all_fields_come_back(event_repository: EventRepository) -> None:
    event = new_event(type="execution_held", block_id=None, payload={"holds": ["a"], "error": None, "a.b": {"$c": 1}})
    event_repository.append([event])
    assert event_repository.of_execution(HERE, "x1") == [StoredEvent(sequence=1, event=event)]


def test_each_execution_has_its_own_numbers(event_repository: EventRepository) -> None:
    first, second = events_of("x1", 3), events_of("x2", 2)
    event_repository.append([first[0], second[0], first[1], second[1], first[2]])
    assert ids(event_repository.of_execution(HERE, "x1")) == [event.event_id for event in first]
    assert numbers(event_repository.of_execution(HERE, "x2")) == [1, 2]


def test_event_is_stored_once_however_often_it_is_given(event_repository: EventRepository) -> None:
    events = events_of("x1", 4)
    event_repository.append(events[:2])
    added = event_repository.append([*events, *events])
    assert ids(added) == [event.event_id for event in events[2:]]
    assert numbers(event_repository.of_execution(HERE, "x1")) == [1, 2, 3, 4]
    assert event_repository.append(events) == []
    assert event_repository.append([]) == []


def test_known_event_between_new_ones_leaves_no_gap(event_repository: EventRepository) -> None:
    events = events_of("x1", 5)
    event_repository.append([events[2]])
    added = event_repository.append(events)
    assert numbers(added) == [2, 3, 4, 5]
    assert numbers(event_repository.of_execution(HERE, "x1")) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("after", "limit", "expected"), [
    (0, 100, [1, 2, 3, 4, 5]), (2, 100, [3, 4, 5]), (2, 2, [3, 4]), (5, 100, []), (99, 100, [])])
def test_history_is_read_from_any_place(event_repository: EventRepository, after: int, limit: int,
                                        expected: list[int]) -> None:
    event_repository.append(events_of("x1", 5))
    assert numbers(event_repository.of_execution(HERE, "x1", after=after, limit=limit)) == expected


def test_other_workspace_reads_nothing(event_repository: EventRepository) -> None:
    event_repository.append(events_of("x1", 2))
    assert event_repository.of_execution(ELSEWHERE, "x1") == []
    assert event_repository.of_execution(HERE, "unknown") == []


def test_relays_at_once_leave_no_gap_and_no_double(event_repository: EventRepository) -> None:
    events = [event for source in "abcd" for execution_id in ("x1", "x2")
              for event in events_of(execution_id, 15, source)]
    draws = [random.Random(seed) for seed in range(4)]

    def relay(draw: random.Random) -> list[StoredEvent]:
        own = draw.sample(events, k=len(events) * 3 // 4)
        return [row for start in range(0, len(own), 10) for row in event_repository.append(own[start:start + 10])]

    with ThreadPoolExecutor(len(draws)) as threads:
        added = [row for rows in threads.map(relay, draws) for row in rows]
    event_repository.append(events)
    for execution_id in ("x1", "x2"):
        history = event_repository.of_execution(HERE, execution_id)
        assert numbers(history) == list(range(1, 61))
        assert len(set(ids(history))) == 60
    assert set(Counter(ids(added)).values()) == {1}


def test_history_that_has_begun_without_its_first_event_gets_it_too(event_repository: EventRepository) -> None:
    later, first = events_of("x1", 3), new_event("x1", 1, execution_id="x1")
    event_repository.append(later)

    assert numbers(event_repository.append([first, *later])) == [4]
    assert numbers(event_repository.of_execution(HERE, "x1")) == [1, 2, 3, 4]
