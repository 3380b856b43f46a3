"""Waits: opened, fired once, or cancelled; each change is one version with its event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import LATER, NOW, a_running_block, a_wait
from workflow_service.domain import wait as waits
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.sentences import sentence_of
from workflow_service.domain.statuses import WaitKind, WaitStatus
from workflow_service.domain.wait import Wait

OPEN = replace(waits.opened(a_wait(), NOW), outbox=())


def test_a_wait_has_one_possible_id() -> None:
    assert a_wait().id == "run:a:1:approval:0"
    assert a_wait(kind=WaitKind.AGENT, epoch=2, revision=3).id == "run:a:2:agent:3"


def test_the_wait_of_a_block_is_that_of_its_epoch_and_for_an_agent_of_its_retry() -> None:
    block = a_running_block(epoch=2, retry_count=3)
    assert waits.wait_of(block, WaitKind.APPROVAL).id == "run:a:2:approval:0"
    asked = waits.wait_of(block, WaitKind.AGENT, ask_at=NOW, deadline=LATER)
    assert (asked.id, asked.ask_at, asked.deadline, asked.version) == ("run:a:2:agent:3", NOW, LATER, 0)


@pytest.mark.parametrize(("change", "event_type", "status"), [
    (lambda wait: waits.opened(wait, LATER), "wait_opened", WaitStatus.OPEN),
    (lambda wait: waits.fire(wait, {"approved": True}, LATER), "wait_fired", WaitStatus.FIRED),
    (lambda wait: waits.cancel(wait, LATER), "wait_cancelled", WaitStatus.CANCELLED)])
def test_each_change_makes_a_version_with_its_event(change: Callable[[Wait], Wait], event_type: str,
                                                    status: WaitStatus) -> None:
    after = change(replace(OPEN, version=7))
    (event,) = after.outbox
    assert (after.status, after.version, after.due_at) == (status, 8, LATER)
    assert (event.type, event.source, event.version, event.at, event.block_id) == (event_type, OPEN.id, 8, LATER, "a")
    assert event.payload == {"status": status.value, "kind": "approval", "epoch": 1}


def test_what_it_was_fired_with_is_kept_as_a_copy() -> None:
    payload = {"approved": True}
    fired = waits.fire(OPEN, payload, LATER)
    payload["approved"] = False
    assert fired.payload == {"approved": True}
    assert OPEN.payload is None


@pytest.mark.parametrize("over", [waits.fire(OPEN, {}, NOW), waits.cancel(OPEN, NOW)], ids=["fired", "cancelled"])
def test_a_wait_that_is_over_changes_no_more(over: Wait) -> None:
    with pytest.raises(IllegalTransition):
        waits.fire(over, {}, LATER)
    with pytest.raises(IllegalTransition):
        waits.cancel(over, LATER)


def test_at_rest_it_is_looked_at_when_its_agent_is_to_be_asked() -> None:
    assert waits.at_rest(OPEN).due_at is None
    polled = replace(OPEN, ask_at=LATER)
    assert waits.at_rest(polled).due_at == LATER
    assert waits.at_rest(waits.fire(polled, {}, NOW)).due_at is None
    assert waits.at_rest(polled).version == polled.version


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("at", "then", "now", "is_over"), [
    (0, 0, 0, False), (9, 0, 0, False), (10, 0, 0, True), (11, 0, 0, True),
    # deadlines stood still for five minutes since
    (10, 0, 5, False), (14, 0, 5, False), (15, 0, 5, True),
    # they had stood still before, and did so once more
    (10, 5, 5, True), (12, 5, 8, False), (13, 5, 8, True)])
def test_a_deadline_is_over_later_by_as_long_as_it_stood_still(at: int, then: int, now: int, is_over: bool) -> None:
    """The deadline is ten minutes from now; ``then`` and ``now`` are minutes of standing still."""
    wait = replace(OPEN, deadline=NOW + 10 * MINUTE, stopped_for=then * MINUTE)
    assert waits.is_too_late(wait, now * MINUTE, NOW + at * MINUTE) == is_over


def test_what_has_no_deadline_is_never_too_late() -> None:
    assert not waits.is_too_late(OPEN, timedelta(0), NOW + timedelta(days=10_000))


def test_the_wait_of_a_block_knows_how_long_deadlines_had_stood_still() -> None:
    assert waits.wait_of(a_running_block(), WaitKind.AGENT, deadline=LATER, stopped_for=MINUTE).stopped_for == MINUTE
    assert waits.wait_of(a_running_block(), WaitKind.AGENT).stopped_for == timedelta(0)


@pytest.mark.parametrize(("is_movable", "stood_still", "moved_by"), [(True, 0, 0), (True, 90, 60), (False, 90, 0)])
def test_a_deadline_moves_with_the_time_that_stood_still_since(is_movable: bool, stood_still: int,
                                                               moved_by: int) -> None:
    before = timedelta(seconds=30) if stood_still else timedelta(0)
    wait = a_wait(deadline=LATER, stopped_for=before, is_movable=is_movable)
    at, second = LATER + timedelta(seconds=moved_by), timedelta(seconds=1)
    assert waits.moved_deadline(wait, timedelta(seconds=stood_still)) == at
    assert waits.is_too_late(wait, timedelta(seconds=stood_still), at)
    assert not waits.is_too_late(wait, timedelta(seconds=stood_still), at - second)


def test_without_a_deadline_it_is_never_too_late() -> None:
    assert waits.moved_deadline(a_wait(), timedelta(0)) is None
    assert not waits.is_too_late(a_wait(), timedelta(0), LATER)


def test_the_wait_for_signals_is_another_one_in_each_retry() -> None:
    block = a_running_block(retry_count=3)
    assert [waits.wait_of(block, kind).revision for kind in (WaitKind.SIGNAL, WaitKind.TIME)] == [3, 0]


@pytest.mark.parametrize(("fields", "told"), [
    ({"kind": WaitKind.TIME, "deadline": LATER}, "its time, until 2025-08-21T09:31:00.000Z"),
    ({"kind": WaitKind.SIGNAL, "signals": ("go",)}, "the signal 'go'"),
    ({"kind": WaitKind.SIGNAL, "signals": ("yes", "no")}, "the signals 'yes' or 'no'"),
    ({"kind": WaitKind.SIGNAL, "signals": ("x", "y"), "signal_mode": SignalMode.ALL, "deadline": LATER},
     "the signals 'x' and 'y', until 2025-08-21T09:31:00.000Z")])
def test_the_event_says_what_is_waited_for(fields: dict[str, Any], told: str) -> None:
    (event,) = waits.opened(a_wait(**fields), NOW).outbox
    assert sentence_of(event) == f"Block 'a' is to wait for {told}"
