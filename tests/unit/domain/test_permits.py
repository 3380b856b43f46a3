"""Permits: who gets one, who waits, and whose are over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_block_execution
from workflow_service.domain.permits import (
    Claimant,
    Pool,
    agent_permits,
    claimant_of,
    is_current,
    kind_of,
    mutex_permits,
    take,
)
from workflow_service.domain.statuses import BlockStatus, WaitKind

B = BlockStatus


def claimant(name: str, epoch: int = 1) -> Claimant:
    """Return a block of the execution ``run``."""
    return Claimant(workspace_id="acme", execution_id="run", block_id=name, epoch=epoch)


def pool(*holders: str, waiting: str = "") -> Pool:
    """Return a pool whose holders have the fence 3."""
    return Pool(name="mutex:acme:m", holders={claimant(name): 3 for name in holders},
                waiting=tuple(map(claimant, waiting.split())))


@pytest.mark.parametrize(("before", "limit", "after"), [
    (pool(), 1, pool("a")),
    (pool("b"), 2, pool("b", "a")),
    (pool("b"), 1, None),
    (pool("b", "c"), 1, None),
    (pool(waiting="a b"), 1, pool("a", waiting="b")),
    (pool(waiting="b a"), 2, None),
    (pool("b", waiting="a"), 1, None),
], ids=["free", "one of two", "none left", "the limit was lowered", "it is next", "another is next",
        "it is next, none left"])
def test_a_free_permit_goes_to_who_is_next(before: Pool, limit: int, after: Pool | None) -> None:
    assert take(before, claimant("a"), 3, limit) == after


@pytest.mark.parametrize(("fence", "has_it"), [(2, False), (3, True), (4, True)])
def test_one_that_is_held_is_confirmed_unless_a_later_claim_has_it(fence: int, has_it: bool) -> None:
    taken = take(pool("a", "b", waiting="c"), claimant("a"), fence, 1)
    assert (taken is not None) == has_it
    assert taken is None or (taken.holders[claimant("a")], taken.waiting) == (fence, (claimant("c"),))


def test_another_epoch_is_another_claimant() -> None:
    assert take(pool("a"), claimant("a", epoch=2), 9, 1) is None


@pytest.mark.parametrize(("fields", "current"), [
    ({"status": B.RUNNING}, True),
    ({"status": B.AWAITING_AGENT, "attempt": 1, "parked_for": WaitKind.AGENT}, True),
    ({"status": B.AWAITING_CHILDREN, "parked_for": WaitKind.CHILDREN}, True),
    ({"status": B.RETRY_WAIT, "attempt": 1}, True),
    ({"status": B.READY, "attempt": 1}, True),
    ({"status": B.READY}, False),
    ({"status": B.AWAITING_APPROVAL, "parked_for": WaitKind.APPROVAL}, False),
    ({"status": B.READY, "parked_for": WaitKind.APPROVAL}, False),
    ({"status": B.PENDING}, False),
    ({"status": B.RUNNING, "epoch": 2}, False),
    *(({"status": status, "attempt": 1}, False) for status in B if status.is_terminal)], ids=str)
def test_a_permit_is_held_from_the_first_call_to_the_end_of_the_epoch(fields: dict[str, Any], current: bool) -> None:
    assert is_current(claimant("a"), a_block_execution(**fields)) == current


def test_what_is_not_there_holds_nothing() -> None:
    assert not is_current(claimant("a"), None)


def test_names_say_what_is_limited() -> None:
    assert [kind_of(name) for name in (mutex_permits("acme", "a:b"), agent_permits("echo"))] == ["mutex", "agent"]
    assert mutex_permits("acme", "m") != mutex_permits("other", "m")


def test_a_block_is_a_claimant_in_its_epoch() -> None:
    assert claimant_of(a_block_execution("a", epoch=2)) == claimant("a", epoch=2)
