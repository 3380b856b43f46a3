"""Which blocks a fault affects, and how long they stood still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.chaos.storm.log import Blow, Command, Log
from tests.chaos.storm.recovery import affected, percentile, recoveries
from tests.chaos.storm.store import AtWork
from tests.support.builders import NOW
from workflow_service.domain.events import Event

HIT, OTHER = 11, 12


def at_work(name: str, pid: int | None = HIT) -> AtWork:
    return AtWork(source=f"{name}:a", execution_id=name, version=3, owner_pid=pid)


def a_blow(kind: str, *blocks: AtWork) -> Blow:
    return Blow(kind=kind, at=NOW, seconds=2, struck=frozenset({HIT}), at_work=blocks)


def happened(name: str, after_s: float, version: int = 4) -> Event:
    return Event(type="block_started", workspace_id="default", execution_id=name, source=f"{name}:a", version=version,
                 at=NOW + timedelta(seconds=after_s))


@pytest.mark.parametrize(("kind", "expected"), [
    ("kill_worker", ["hit"]), ("freeze_worker", ["hit"]), ("kill_child", ["hit"]),
    ("kill_broker", ["hit", "beside", "ready"]), ("kill_web", [])])
def test_a_fault_affects_what_depends_on_what_it_hits(kind: str, expected: list[str]) -> None:
    blow = a_blow(kind, at_work("hit"), at_work("beside", OTHER), at_work("ready", None))
    assert [block.execution_id for block in affected(blow)] == expected


def test_a_block_has_recovered_with_its_next_event() -> None:
    log = Log(blows=[a_blow("kill_worker", at_work("x"))])
    history = {"x:a": [happened("x", -1, version=3), happened("x", 3), happened("x", 9, version=5)]}
    found = next(recoveries(log, history))
    assert (found.took, found.took_after) == (timedelta(seconds=3), timedelta(seconds=1))


def test_a_block_that_went_on_before_the_fault_is_not_counted() -> None:
    log = Log(blows=[a_blow("kill_worker", at_work("x"))])
    assert not list(recoveries(log, {"x:a": [happened("x", -0.01)]}))


@pytest.mark.parametrize(("status", "after_s", "counted"), [
    (200, 1, 0), (0, 1, 0), (503, 1, 0), (409, 1, 1), (200, -4, 0), (200, -6, 1), (200, 4, 1)])
def test_a_block_that_an_operator_may_have_stopped_is_not_counted(status: int, after_s: float, counted: int) -> None:
    stopped = Command(execution_id="x", name="pause", at=NOW + timedelta(seconds=after_s), status=status)
    log = Log(blows=[a_blow("kill_worker", at_work("x"))], commands=[stopped])
    assert len(list(recoveries(log, {"x:a": [happened("x", 3)]}))) == counted


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected
    assert percentile([7], share) == 7
