"""Signals: which one a wait may have, and which it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, LEASE, NOW, SECOND, new_signal, new_wait
from workflow_service.domain.signal import Signal, give_back, received, take
from workflow_service.domain.wait import Wait
from workflow_service.services.ports import SignalRepository

OURS: Wait = new_wait("b1")
OTHERS: Wait = new_wait("b2")


def store(repository: SignalRepository, *signals: Signal) -> None:
    for signal in signals:
        assert repository.insert(signal)


def test_all_fields_come_back(signal_repository: SignalRepository) -> None:
    signal = new_signal(request_digest="d", taken_by=OURS.id, taken_for="b1", version=3, due_at=NOW + LEASE)
    store(signal_repository, signal)
    assert signal_repository.get(HERE, "s1") == signal
    assert signal_repository.get(ELSEWHERE, "s1") is None


def test_the_oldest_comes_first_and_by_id_among_those_of_one_instant(signal_repository: SignalRepository) -> None:
    later, first, second = new_signal("s1", sent_at=NOW + SECOND), new_signal("s2"), new_signal("s3")
    store(signal_repository, later, second, first)
    assert signal_repository.oldest(HERE, "x1", ["go"], OURS.id) == first
    found, total = signal_repository.page(HERE, "x1", 2, 1)
    assert (list(found), total) == ([second, later], 3)
    assert [one.signal_id for one in signal_repository.of_execution(HERE, "x1")] == ["s2", "s3", "s1"]


@pytest.mark.parametrize(("signal", "is_found"), [
    (new_signal(), True), (new_signal(name="yes"), True), (new_signal(taken_by=OURS.id), True),
    (new_signal(name="no"), False), (new_signal(taken_by=OTHERS.id), False), (new_signal(execution_id="x2"), False),
    (new_signal(workspace_id=ELSEWHERE), False)])
def test_what_a_wait_may_have(signal_repository: SignalRepository, signal: Signal, is_found: bool) -> None:
    store(signal_repository, signal)
    assert signal_repository.oldest(HERE, "x1", ["go", "yes"], OURS.id) == (signal if is_found else None)


def test_what_a_wait_has_comes_without_its_payload(signal_repository: SignalRepository) -> None:
    ours = new_signal("s1", taken_by=OURS.id, taken_for="b1")
    store(signal_repository, ours, new_signal("s2"), new_signal("s3", taken_by=OTHERS.id),
          new_signal("s4", execution_id="x2", taken_by=OURS.id))
    assert signal_repository.taken_by(HERE, "x1", OURS.id) == [replace(ours, payload={})]
    assert not signal_repository.taken_by(ELSEWHERE, "x1", OURS.id)


def test_a_signal_is_taken_once_and_keeps_its_payload(signal_repository: SignalRepository) -> None:
    signal = received(new_signal(), NOW)
    store(signal_repository, signal)
    assert signal_repository.change(signal, take(signal, OURS, NOW))
    assert not signal_repository.change(signal, take(signal, OTHERS, NOW))
    (without,) = signal_repository.taken_by(HERE, "x1", OURS.id)
    assert signal_repository.change(without, give_back(without, NOW))
    found = signal_repository.oldest(HERE, "x1", ["go"], OTHERS.id)
    assert found is not None
    assert (found.payload, found.taken_by, found.taken_for, found.version) == ({"n": 1}, None, None, 3)
    assert [event.type for event in found.outbox] == ["signal_received", "signal_taken", "signal_given_back"]
