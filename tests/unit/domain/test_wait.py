"""Waits: opened, fired once, or cancelled; each change is one version with its event."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.builders import LATER, NOW, a_running_block, a_wait
from workflow_service.domain import wait as waits
from workflow_service.domain.errors import IllegalTransition
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
