"""Histories: events in pages, logs, and the verification of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from tests.support.protocol.templates import TEMPLATES
from tests.support.protocol.world import LEASE, OPERATOR, WORKSPACE, World
from tests.unit.services.lives import OPERATOR as LIVING
from tests.unit.services.lives import Life, block
from workflow_service.domain import blocks
from workflow_service.domain.errors import NotFound
from workflow_service.domain.events import Event
from workflow_service.domain.invariants import MEANINGS
from workflow_service.domain.logs import Level, LogFilter
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.users import User
from workflow_service.services.histories import Histories
from workflow_service.services.plans import Plans
from workflow_service.services.ports import EventRepository, StoredEvent
from workflow_service.services.stores import Stores

STRANGER = User(name="eve", role="admin", workspace_id="elsewhere")


class ChangingEvents:
    """A history of which a reader sees what a test wants, reading by reading."""

    def __init__(self, events: EventRepository, *seen: Callable[[StoredEvent], bool]) -> None:
        """Show events.

        Args:
            seen: what each reading from the beginning shows; the last counts for all that follow.
        """
        self._events = events
        self._seen = list(seen)
        self._shows = self._seen[0]
        self.readings = 0

    def append(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store events."""
        return self._events.append(events)

    def of_execution(self, workspace_id: str, execution_id: str, *, after: int = 0,
                     limit: int = 10_000) -> Sequence[StoredEvent]:
        """Return what is to be seen."""
        if after == 0:
            self.readings += 1
            self._shows = self._seen.pop(0) if len(self._seen) > 1 else self._seen[0]
        found = self._events.of_execution(workspace_id, execution_id, after=after, limit=limit)
        return [stored for stored in found if self._shows(stored)]


@pytest.fixture
def world() -> Iterator[World]:
    """A workflow with a person in it that has come to its end."""
    world = World(document=TEMPLATES["gate"])
    world.start(world.processes[0])
    world.settle_down()
    assert world.execution is not None and world.execution.status is ExecutionStatus.COMPLETED
    yield world
    world.stage.close()


def _histories(world: World, events: EventRepository | None = None) -> Histories:
    stores = Stores(executions=world.executions, blocks=world.blocks, waits=world.waits, approvals=world.approvals,
                    signals=world.signals, holds=world.holds, permits=world.permits)
    return Histories(stores, events or world.events, Plans(world.templates, RetryPolicy()), world.clock)


def test_the_engine_tells_histories(world: World) -> None:
    assert world.processes[0].engine.histories.verify(OPERATOR, "e").valid


def test_events_come_in_pages(world: World) -> None:
    whole = _histories(world).events(OPERATOR, "e")
    assert [stored.sequence for stored in whole.events] == list(range(1, len(whole.events) + 1))
    assert whole.next is None and whole.events
    first = _histories(world).events(OPERATOR, "e", limit=3)
    assert (list(first.events), first.next) == (list(whole.events[:3]), 3)
    rest = _histories(world).events(OPERATOR, "e", after=3, limit=len(whole.events) - 3)
    assert (list(rest.events), rest.next) == (list(whole.events[3:]), None)


def test_logs_tell_the_history(world: World) -> None:
    logs, total = _histories(world).logs(OPERATOR, LogFilter(execution_id="e", limit=1000))
    assert [entry.sequence for entry in logs] == list(range(1, total + 1))
    told = [entry.message for entry in logs]
    assert "Block 'G' was approved by olga" in told and "Execution completed" in told


def test_logs_are_counted_as_filtered_and_cut_after_that(world: World) -> None:
    histories = _histories(world)
    all_of_a, total = histories.logs(OPERATOR, LogFilter(execution_id="e", block_id="A", limit=1000))
    assert {entry.block_id for entry in all_of_a} == {"A"} and total == len(all_of_a)
    assert histories.logs(OPERATOR, LogFilter(execution_id="e", block_id="A", limit=1, offset=1)) \
        == (all_of_a[1:2], total)
    assert histories.logs(OPERATOR, LogFilter(execution_id="e", level=Level.ERROR)) == ([], 0)


def test_what_is_well_is_called_so(world: World) -> None:
    found = _histories(world).verify(OPERATOR, "e")
    assert (found.valid, list(found.violations)) == (True, [])
    assert found.counts == {"events": len(_histories(world).events(OPERATOR, "e").events), "blocks": 3, "waits": 1,
                            "approvals": 1, "signals": 0}
    assert [check.invariant for check in found.checks] == list(MEANINGS)
    assert {check.invariant for check in found.checks if check.result == "not_checked"} == {"I2", "I10"}
    assert found.checked_at == world.clock.now()


def test_an_event_that_is_still_in_an_outbox_is_on_its_way(world: World) -> None:
    """Its relay died: it is not in the history yet, and no violation."""
    [missing] = [stored.event for stored in world.events.of_execution(WORKSPACE, "e")
                 if stored.event.type == "execution_completed"]
    execution = world.execution
    assert execution is not None
    world.executions._documents["e"] = replace(execution, outbox=(missing,), due_at=world.clock.now())
    events = ChangingEvents(world.events, lambda stored: stored.event != missing)
    shown = _histories(world, events).events(OPERATOR, "e").events
    assert "execution_completed" not in {stored.event.type for stored in shown}
    assert _histories(world, events).verify(OPERATOR, "e").valid


def test_a_lost_event_is_a_violation(world: World) -> None:
    events = ChangingEvents(world.events, lambda stored: stored.sequence != 2)
    found = _histories(world, events).verify(OPERATOR, "e")
    assert not found.valid
    assert {violation.invariant for violation in found.violations} >= {"I9"}
    assert {check.invariant for check in found.checks if check.result == "broken"} \
        == {violation.invariant for violation in found.violations}


def test_a_document_that_was_changed_by_hand_is_a_violation(world: World) -> None:
    block = world.blocks.get(WORKSPACE, "e:A")
    assert block is not None
    world.blocks.change(block, replace(block, version=block.version + 1, status=BlockStatus.FAILED))
    assert ("I9", "e:A") in {(one.invariant, one.subject) for one in _histories(world).verify(OPERATOR, "e").violations}


def test_what_only_seemed_wrong_while_it_changed_does_not_count(world: World) -> None:
    events = ChangingEvents(world.events, lambda stored: stored.sequence != 2, lambda stored: True)
    assert _histories(world, events).verify(OPERATOR, "e").valid
    assert events.readings == 2


def test_other_things_that_seem_wrong_in_each_reading_do_not_count(world: World) -> None:
    """While an execution runs, each reading may catch another document on its way."""
    first, second = _events_of(world, "e:A")[-1], _events_of(world, "e:B")[-1]
    events = ChangingEvents(world.events, lambda stored: stored.event.source != first.source,
                            lambda stored: stored.event.source != second.source, lambda stored: True)
    assert _histories(world, events).verify(OPERATOR, "e").valid


def test_an_execution_that_runs_can_be_verified() -> None:
    world = World(document=TEMPLATES["gate"])
    world.start(world.processes[0])
    world.stage.shut()
    world.run_all()
    block = world.blocks.get(WORKSPACE, "e:A")
    assert block is not None and block.status is BlockStatus.READY
    world.blocks.change(block, blocks.claim(block, "w", world.clock.now(), LEASE))
    assert _histories(world).verify(OPERATOR, "e").valid


@pytest.mark.parametrize(("user", "execution_id"), [(STRANGER, "e"), (OPERATOR, "x")])
def test_what_is_not_in_the_workspace_is_not_found(world: World, user: User, execution_id: str) -> None:
    histories = _histories(world)
    with pytest.raises(NotFound):
        histories.events(user, execution_id)
    with pytest.raises(NotFound):
        histories.logs(user, LogFilter(execution_id=execution_id))
    with pytest.raises(NotFound):
        histories.verify(user, execution_id)


def _events_of(world: World, source: str) -> Sequence[Event]:
    return [stored.event for stored in world.events.of_execution(WORKSPACE, "e") if stored.event.source == source]


def test_who_follows_is_told_of_the_end_once_all_has_reached_the_history() -> None:
    life = Life(block("a"), block("b", "a"))
    run, told = life.start(), 0
    histories = life.engine.histories
    while life.messages:
        life.engine.blocks.run(life.messages.popleft())
    assert life.of(run).status is ExecutionStatus.COMPLETED
    assert histories.news(LIVING, run, told).ended is None  # nothing was relayed yet
    life.engine.finisher.flush()
    first = histories.news(LIVING, run, told)
    assert first.ended is None and first.events[-1].sequence == len(first.events)
    last = histories.news(LIVING, run, first.events[-1].sequence)
    assert not last.events and last.ended is ExecutionStatus.COMPLETED


def test_news_of_what_is_not_there() -> None:
    with pytest.raises(NotFound):
        Life(block("a")).engine.histories.news(STRANGER, "run-1", 0)
