"""Standing holds: one for each scope and target, carried out by one, and lifted by whoever placed them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, NOW, SECOND, new_hold
from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.services.ports import StandingHoldRepository

APPLYING, APPLIED, LIFTING = HoldStatus.APPLYING, HoldStatus.APPLIED, HoldStatus.LIFTING
SERVICE = new_hold("s1", scope=HoldScope.SERVICE, target=None, workspace_id=None)


def ids(found: object) -> list[str]:
    """Return the ids of holds."""
    assert isinstance(found, list)
    return [hold.hold_id for hold in found]


@pytest.mark.parametrize("hold", [
    new_hold(scope=HoldScope.AGENT, target="a-b_c", clock=ClockRule.RUN, reason="It lies.", status=LIFTING,
             progress="x17"),
    new_hold(scope=HoldScope.WORKSPACE, target=None), new_hold(status=APPLIED), SERVICE],
    ids=["agent", "workspace", "template", "service"])
def test_all_fields_come_back(hold_repository: StandingHoldRepository, hold: StandingHold) -> None:
    assert hold_repository.insert(hold)
    assert list(hold_repository.of_workspace(HERE)) == [hold]


@pytest.mark.parametrize("status", HoldStatus)
def test_there_is_one_for_a_scope_and_target(hold_repository: StandingHoldRepository, status: HoldStatus) -> None:
    assert hold_repository.insert(new_hold(status=status))
    assert not hold_repository.insert(new_hold("h2", reason="again", clock=ClockRule.RUN))
    assert list(hold_repository.of_workspace(HERE)) == [new_hold(status=status)]


def test_another_scope_target_or_workspace_has_its_own(hold_repository: StandingHoldRepository) -> None:
    others = [new_hold("h1"), new_hold("h2", target="t2"), new_hold("h3", scope=HoldScope.AGENT),
              new_hold("h4", scope=HoldScope.WORKSPACE, target=None), new_hold("h5", workspace_id=ELSEWHERE), SERVICE]
    assert all(hold_repository.insert(hold) for hold in others)


def test_of_many_that_place_it_at_once_one_does(hold_repository: StandingHoldRepository) -> None:
    with ThreadPoolExecutor(6) as threads:
        placed = list(threads.map(lambda number: hold_repository.insert(new_hold(f"h{number}")), range(6)))
    assert placed.count(True) == 1
    assert ids(list(hold_repository.of_workspace(HERE))) == [f"h{placed.index(True)}"]


def test_a_workspace_has_its_own_and_those_of_the_service_the_oldest_first(
        hold_repository: StandingHoldRepository) -> None:
    for hold in (new_hold("h1", created_at=NOW + 2 * SECOND), new_hold("h2", target="t2", created_at=NOW),
                 new_hold("h3", workspace_id=ELSEWHERE), replace(SERVICE, created_at=NOW + SECOND)):
        hold_repository.insert(hold)
    assert ids(list(hold_repository.of_workspace(HERE))) == ["h2", "s1", "h1"]
    assert ids(list(hold_repository.of_workspace(ELSEWHERE))) == ["h3", "s1"]
    assert ids(list(hold_repository.of_workspace("nowhere"))) == ["s1"]


def test_what_is_being_applied_or_lifted_in_any_workspace_is_unfinished(
        hold_repository: StandingHoldRepository) -> None:
    for hold in (new_hold("h1"), new_hold("h2", target="t2", status=APPLIED), replace(SERVICE, status=APPLIED),
                 new_hold("h3", target="t3", status=LIFTING), new_hold("h4", workspace_id=ELSEWHERE)):
        hold_repository.insert(hold)
    assert sorted(ids(list(hold_repository.unfinished()))) == ["h1", "h3", "h4"]


def test_it_is_brought_on_step_by_step(hold_repository: StandingHoldRepository) -> None:
    hold = new_hold()
    hold_repository.insert(hold)
    for status, progress in ((APPLYING, "x5"), (APPLYING, "x9"), (APPLIED, ""), (LIFTING, ""), (LIFTING, "x5")):
        assert hold_repository.advance(hold, status, progress)
        hold = replace(hold, status=status, progress=progress)
        assert list(hold_repository.of_workspace(HERE)) == [hold]


@pytest.mark.parametrize("outdated", [
    new_hold(progress="x3"), new_hold(status=LIFTING, progress="x5"), new_hold("h2", progress="x5"),
    new_hold(workspace_id=ELSEWHERE, progress="x5"), new_hold(target="t2", progress="x5")],
    ids=["progress", "status", "newer hold", "workspace", "target"])
def test_who_read_it_otherwise_changes_nothing(hold_repository: StandingHoldRepository,
                                               outdated: StandingHold) -> None:
    hold = new_hold(progress="x5")
    hold_repository.insert(hold)
    assert not hold_repository.advance(outdated, LIFTING, "")
    assert list(hold_repository.of_workspace(HERE)) == [hold]


def test_of_two_that_bring_it_on_at_once_one_does(hold_repository: StandingHoldRepository) -> None:
    hold = new_hold()
    hold_repository.insert(hold)
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: hold_repository.advance(hold, APPLYING, f"x{number}"), range(6)))
    assert done.count(True) == 1
    assert [one.progress for one in hold_repository.of_workspace(HERE)] == [f"x{done.index(True)}"]


def test_one_that_is_gone_is_not_brought_on(hold_repository: StandingHoldRepository) -> None:
    assert not hold_repository.advance(new_hold(), APPLIED, "")
    assert not hold_repository.of_workspace(HERE)


@pytest.mark.parametrize("progress", ["", "x5"])
def test_what_is_being_lifted_can_be_forgotten(hold_repository: StandingHoldRepository, progress: str) -> None:
    hold_repository.insert(new_hold(status=LIFTING, progress=progress))
    hold_repository.remove(new_hold(status=LIFTING))
    assert not hold_repository.of_workspace(HERE)
    hold_repository.remove(new_hold(status=LIFTING))
    assert hold_repository.insert(new_hold("h2"))


@pytest.mark.parametrize("stored", [
    new_hold(), new_hold(status=APPLIED), new_hold("h2", status=LIFTING), new_hold("h2"),
    new_hold(workspace_id=ELSEWHERE, status=LIFTING), new_hold(target="t2", status=LIFTING)],
    ids=["applying", "applied", "newer and lifting", "newer", "elsewhere", "other target"])
def test_nothing_else_is_forgotten(hold_repository: StandingHoldRepository, stored: StandingHold) -> None:
    hold_repository.insert(stored)
    hold_repository.remove(new_hold(status=LIFTING))
    assert list(hold_repository.of_workspace(stored.workspace_id or HERE)) == [stored]


def test_the_hold_of_the_service_is_brought_on_and_forgotten(hold_repository: StandingHoldRepository) -> None:
    hold_repository.insert(SERVICE)
    assert hold_repository.advance(SERVICE, LIFTING, "")
    hold_repository.remove(replace(SERVICE, status=LIFTING))
    assert not hold_repository.unfinished()
