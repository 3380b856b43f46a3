"""Signals: kept, taken, given back; each change is one version with its event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.builders import LATER, NOW, a_wait
from workflow_service.domain import signal as signals
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.sentences import sentence_of
from workflow_service.domain.signal import SIGNAL_IDS, Signal
from workflow_service.domain.statuses import SignalStatus, WaitKind

WAIT = a_wait(kind=WaitKind.SIGNAL)
NEW = Signal(signal_id="s", workspace_id="acme", execution_id="run", name="go", payload={"n": 1}, sent_at=NOW,
             sent_by="ada")


def test_a_signal_is_kept_taken_and_given_back() -> None:
    received = signals.received(NEW, NOW)
    taken = signals.take(received, WAIT, LATER)
    back = signals.give_back(taken, LATER)
    assert [one.status for one in (received, taken, back)] == [SignalStatus.KEPT, SignalStatus.TAKEN, SignalStatus.KEPT]
    assert (taken.taken_by, taken.taken_for, back.taken_by, back.taken_for) == (WAIT.id, "a", None, None)
    assert [event.version for event in back.outbox] == [1, 2, 3] and back.due_at == LATER
    assert [event.payload["status"] for event in back.outbox] == ["kept", "taken", "kept"]
    assert [sentence_of(event) for event in back.outbox] == [
        "Signal 'go' came from ada", "Signal 'go' was taken for block 'a'",
        "Signal 'go' is kept: block 'a' went on without it"]
    assert signals.at_rest(back).due_at is None


def test_what_is_told_of_a_signal_does_not_hold_its_payload() -> None:
    (event,) = signals.received(NEW, NOW).outbox
    assert set(event.payload) == {"by", "name", "status", "takenBy"}


def test_a_signal_is_not_taken_twice() -> None:
    taken = signals.take(NEW, WAIT, NOW)
    with pytest.raises(IllegalTransition):
        signals.take(taken, WAIT, NOW)
    with pytest.raises(IllegalTransition):
        signals.give_back(NEW, NOW)


@pytest.mark.parametrize(("payload", "was_used"), [
    (None, False), ({"timedOut": True, "signals": {}}, False), ({SIGNAL_IDS: ["other"]}, False),
    ({SIGNAL_IDS: ["other", "s"]}, True)])
def test_whether_a_wait_fired_with_it(payload: dict[str, object] | None, was_used: bool) -> None:
    assert signals.was_used("s", replace(WAIT, payload=payload)) is was_used


@pytest.mark.parametrize(("name", "payload", "is_same"), [
    ("go", {"a": 1, "b": 2}, True), ("go", {"b": 2, "a": 1}, True), ("go", {"a": 1, "b": 2.0}, False),
    ("went", {"a": 1, "b": 2}, False), ("go", {"a": 1, "b": True}, False)])
def test_what_is_the_same_request(name: str, payload: dict[str, object], is_same: bool) -> None:
    assert (signals.digest(name, payload) == signals.digest("go", {"a": 1, "b": 2})) is is_same
