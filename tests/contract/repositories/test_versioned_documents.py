"""What all repositories of versioned documents promise, held against each of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.contract.repositories.builders import (
    ELSEWHERE,
    HERE,
    LEASE,
    MILLISECOND,
    NOW,
    SECOND,
    new_approval,
    new_block,
    new_execution,
    new_signal,
    new_wait,
)
from workflow_service.domain import approval, blocks, execution, signal, wait
from workflow_service.services.ports import Key

Document = Any
UNKNOWN = "nobody"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of document and the repository under test for it."""

    repository: Any
    new: Callable[..., Document]
    advance: Callable[[Document, datetime], Document]
    """A transition, which grows the version by one and adds one event."""
    identifier: Callable[[Document], str]


@pytest.fixture(params=["execution", "block", "wait", "approval", "signal"])
def kind(request: pytest.FixtureRequest, adapter: str) -> Kind:
    """Each kind of document in turn, on each adapter."""
    repository = request.getfixturevalue(f"{request.param}_repository")
    return {
        "execution": lambda: Kind(
            repository=repository, new=new_execution, identifier=lambda document: document.execution_id,
            advance=lambda document, at: execution.hold(document, f"hold-{document.version}", at)),
        "block": lambda: Kind(
            repository=repository, new=new_block, identifier=lambda document: document.id,
            advance=lambda document, at: blocks.restart(document, document.epoch + 1, (), at, agent_id="a")),
        "wait": lambda: Kind(
            repository=repository, new=new_wait, identifier=lambda document: document.id, advance=wait.opened),
        "approval": lambda: Kind(
            repository=repository, new=new_approval, identifier=lambda document: document.approval_id,
            advance=approval.escalate),
        "signal": lambda: Kind(
            repository=repository, new=new_signal, identifier=lambda document: document.signal_id,
            advance=lambda document, at: signal.give_back(document, at) if document.taken_by else
            signal.take(document, new_wait(), at)),
    }[request.param]()


@pytest.fixture
def stored(kind: Kind) -> Document:
    """A document that is in the repository."""
    document = kind.new()
    assert kind.repository.insert(document)
    return document


def current(kind: Kind, document: Document) -> Document:
    """Return the document as it is stored."""
    return kind.repository.get(HERE, kind.identifier(document))


def test_document_comes_back_as_it_was(kind: Kind) -> None:
    document = kind.advance(kind.new(due_at=NOW), NOW)
    kind.repository.insert(document)
    assert current(kind, document) == document


def test_what_was_never_stored_is_not_found(kind: Kind) -> None:
    assert kind.repository.get(HERE, UNKNOWN) is None


def test_taken_id_is_refused_and_nothing_changes(kind: Kind, stored: Document) -> None:
    assert not kind.repository.insert(kind.advance(stored, NOW))
    assert current(kind, stored) == stored


def test_taken_id_is_refused_in_another_workspace_too(kind: Kind, stored: Document) -> None:
    assert not kind.repository.insert(replace(stored, workspace_id=ELSEWHERE))
    assert kind.repository.get(ELSEWHERE, kind.identifier(stored)) is None
    assert current(kind, stored) == stored


def test_other_workspace_sees_and_changes_nothing(kind: Kind, stored: Document) -> None:
    foreign = replace(stored, workspace_id=ELSEWHERE)
    assert kind.repository.get(ELSEWHERE, kind.identifier(stored)) is None
    assert not kind.repository.change(foreign, kind.advance(foreign, NOW))
    kind.repository.rest([replace(foreign, due_at=NOW + LEASE)])
    assert current(kind, stored) == stored


def test_instants_are_cut_to_milliseconds_in_utc(kind: Kind) -> None:
    exact = datetime(2026, 3, 1, 13, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    document = kind.new(due_at=exact)
    kind.repository.insert(document)
    found = current(kind, document).due_at
    assert found == datetime(2026, 3, 1, 11, 0, 0, 123_000, tzinfo=found.tzinfo)
    assert found.utcoffset() == timedelta()


def test_change_stores_the_new_version_with_its_event(kind: Kind, stored: Document) -> None:
    after = kind.advance(stored, NOW)
    assert kind.repository.change(stored, after)
    assert current(kind, stored) == after


def test_several_transitions_are_one_change(kind: Kind, stored: Document) -> None:
    after = kind.advance(kind.advance(stored, NOW), NOW + SECOND)
    assert kind.repository.change(stored, after)
    found = current(kind, stored)
    assert found == after
    assert [event.version for event in found.outbox] == [stored.version + 1, stored.version + 2]


def test_change_of_an_old_reading_is_refused_and_changes_nothing(kind: Kind, stored: Document) -> None:
    first = kind.advance(stored, NOW)
    assert kind.repository.change(stored, first)
    assert not kind.repository.change(stored, kind.advance(stored, NOW + SECOND))
    assert current(kind, stored) == first


def test_change_of_what_is_not_there_is_refused(kind: Kind) -> None:
    document = kind.new()
    assert not kind.repository.change(document, kind.advance(document, NOW))
    assert current(kind, document) is None


def test_of_many_that_change_the_same_version_one_wins(kind: Kind, stored: Document) -> None:
    attempts = [kind.advance(stored, NOW + number * SECOND) for number in range(8)]
    with ThreadPoolExecutor(len(attempts)) as threads:
        won = list(threads.map(lambda after: kind.repository.change(stored, after), attempts))
    assert won.count(True) == 1
    assert current(kind, stored) == attempts[won.index(True)]


def test_no_change_of_many_threads_is_lost(kind: Kind, stored: Document) -> None:
    def change_until_won(number: int) -> None:
        while True:
            before = current(kind, stored)
            if kind.repository.change(before, kind.advance(before, NOW + number * SECOND)):
                return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change_until_won, range(12)))
    found = current(kind, stored)
    assert found.version == stored.version + 12
    assert [event.version for event in found.outbox] == list(range(stored.version + 1, found.version + 1))


def test_change_to_none_takes_the_field_away(kind: Kind) -> None:
    document = kind.new(due_at=NOW)
    kind.repository.insert(document)
    after = replace(kind.advance(document, NOW), due_at=None)
    assert kind.repository.change(document, after)
    assert current(kind, document).due_at is None
    assert kind.repository.due(NOW + LEASE, 10) == []


def test_change_does_not_bring_relayed_events_back(kind: Kind, stored: Document) -> None:
    first = kind.advance(stored, NOW)
    kind.repository.change(stored, first)
    kind.repository.rest([first])
    second = kind.advance(first, NOW)
    assert kind.repository.change(first, second)
    assert [event.version for event in current(kind, stored).outbox] == [second.version]


def test_rest_takes_events_out_and_stores_when_to_look_again(kind: Kind, stored: Document) -> None:
    after = kind.advance(stored, NOW)
    kind.repository.change(stored, after)
    kind.repository.rest([replace(after, due_at=NOW + LEASE)])
    assert current(kind, stored) == replace(after, outbox=(), due_at=NOW + LEASE)


def test_rest_without_due_at_takes_it_away(kind: Kind, stored: Document) -> None:
    after = kind.advance(stored, NOW)
    kind.repository.change(stored, after)
    kind.repository.rest([replace(after, due_at=None)])
    assert current(kind, stored).due_at is None


def test_rest_leaves_a_document_that_moved_on(kind: Kind, stored: Document) -> None:
    first = kind.advance(stored, NOW)
    kind.repository.change(stored, first)
    second = kind.advance(first, NOW + SECOND)
    kind.repository.change(first, second)
    kind.repository.rest([replace(first, due_at=None)])
    assert current(kind, stored) == second


def test_rest_leaves_events_that_were_not_named(kind: Kind, stored: Document) -> None:
    after = kind.advance(kind.advance(stored, NOW), NOW)
    kind.repository.change(stored, after)
    kind.repository.rest([replace(after, outbox=after.outbox[:1])])
    assert current(kind, stored).outbox == after.outbox[1:]


def test_rest_of_nothing_does_nothing(kind: Kind, stored: Document) -> None:
    kind.repository.rest([])
    assert current(kind, stored) == stored


@pytest.mark.parametrize(("due_at", "is_due"), [
    (NOW - SECOND, True), (NOW, True), (NOW + MILLISECOND, False), (None, False)])
def test_due_gives_keys_whose_time_has_come(kind: Kind, due_at: datetime | None, is_due: bool) -> None:
    document = kind.new(workspace_id=ELSEWHERE, due_at=due_at)
    kind.repository.insert(document)
    expected = [Key(workspace_id=ELSEWHERE, identifier=kind.identifier(document))] if is_due else []
    assert list(kind.repository.due(NOW, 10)) == expected


def test_due_crosses_workspaces_and_keeps_to_its_limit(kind: Kind) -> None:
    for number, workspace_id in enumerate([HERE, ELSEWHERE, HERE]):
        kind.repository.insert(kind.new(f"d{number}", workspace_id=workspace_id, due_at=NOW))
    assert len(kind.repository.due(NOW, 2)) == 2
    assert {key.workspace_id for key in kind.repository.due(NOW, 10)} == {HERE, ELSEWHERE}
    assert len(kind.repository.due(NOW, 10)) == 3


def test_holding_on_to_a_dictionary_changes_nothing_stored(kind: Kind) -> None:
    value = {"a": 1}
    field = "input" if hasattr(kind.new(), "input") else "payload"
    document = kind.new(**{field: value})
    kind.repository.insert(document)
    value["a"] = 2
    getattr(current(kind, document), field)["a"] = 3
    assert getattr(current(kind, document), field) == {"a": 1}
