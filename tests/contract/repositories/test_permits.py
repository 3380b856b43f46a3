"""Permits: never more than there are, each change in one update, nobody overtakes who waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, NOW, SECOND
from workflow_service.domain.permits import Claimant, Pool
from workflow_service.services.ports import PermitRepository

NAME = "mutex:acme:Größe, with spaces. and $igns"
LATER = NOW + SECOND


def claimant(name: str, *, workspace_id: str = HERE, execution_id: str = "run-1", epoch: int = 1) -> Claimant:
    """Return a block."""
    return Claimant(workspace_id=workspace_id, execution_id=execution_id, block_id=name, epoch=epoch)


A, B, C = map(claimant, "abc")


def take(repository: PermitRepository, who: Claimant, fence: int = 1, limit: int = 1) -> bool:
    """Take a permit of the pool."""
    return repository.take(NAME, who, fence, limit, LATER)


def pool(repository: PermitRepository) -> Pool:
    """Return the pool, which is there."""
    found = repository.get(NAME)
    assert found is not None
    return found


def test_what_nobody_uses_is_not_there(permit_repository: PermitRepository) -> None:
    assert permit_repository.get(NAME) is None
    assert not permit_repository.give_back(NAME, A)
    assert not permit_repository.unqueue(NAME, A)
    permit_repository.look_again(NAME, NOW)
    assert permit_repository.get(NAME) is None


def test_as_many_are_held_as_there_are(permit_repository: PermitRepository) -> None:
    assert [take(permit_repository, who, fence=7, limit=2) for who in (A, B, C)] == [True, True, False]
    assert pool(permit_repository) == Pool(name=NAME, holders={A: 7, B: 7})


def test_what_is_given_back_is_anothers(permit_repository: PermitRepository) -> None:
    take(permit_repository, A)
    assert permit_repository.give_back(NAME, A)
    assert not permit_repository.give_back(NAME, A)
    assert take(permit_repository, B)
    assert pool(permit_repository).holders == {B: 1}


@pytest.mark.parametrize("other", [
    claimant("a", workspace_id=ELSEWHERE, execution_id="run-2"), claimant("a", execution_id="run-2"),
    claimant("a", epoch=2), claimant("a:1")],
    ids=["workspace", "execution", "epoch", "item"])
def test_another_block_or_epoch_is_another_claimant(permit_repository: PermitRepository, other: Claimant) -> None:
    take(permit_repository, A)
    assert not take(permit_repository, other)
    assert not permit_repository.give_back(NAME, other)
    assert take(permit_repository, other, limit=2)
    assert set(pool(permit_repository).holders) == {A, other}


@pytest.mark.parametrize(("fence", "has_it", "kept"), [(1, False, 2), (2, True, 2), (3, True, 3)])
def test_one_that_is_held_is_confirmed_by_no_earlier_claim(permit_repository: PermitRepository, fence: int,
                                                           has_it: bool, kept: int) -> None:
    take(permit_repository, A, fence=2)
    permit_repository.queue(NAME, B, LATER)
    assert take(permit_repository, A, fence=fence) == has_it
    assert pool(permit_repository) == Pool(name=NAME, holders={A: kept}, waiting=(B,))


def test_a_permit_that_was_confirmed_is_not_given_back_under_its_old_fence(
        permit_repository: PermitRepository) -> None:
    take(permit_repository, A, fence=1)
    take(permit_repository, A, fence=2)
    assert not permit_repository.give_back(NAME, A, 1)
    assert pool(permit_repository).holders == {A: 2}
    assert permit_repository.give_back(NAME, A, 2)


def test_who_waits_is_served_in_turn(permit_repository: PermitRepository) -> None:
    take(permit_repository, A)
    assert [permit_repository.queue(NAME, who, LATER) for who in (B, C, B)] == [True, True, False]
    assert pool(permit_repository).waiting == (B, C)
    permit_repository.give_back(NAME, A)
    assert not take(permit_repository, C)
    assert not take(permit_repository, A)
    assert take(permit_repository, B)
    assert pool(permit_repository) == Pool(name=NAME, holders={B: 1}, waiting=(C,))


def test_who_leaves_the_queue_lets_the_next_one_pass(permit_repository: PermitRepository) -> None:
    for who in (B, C):
        permit_repository.queue(NAME, who, LATER)
    assert permit_repository.unqueue(NAME, B)
    assert not permit_repository.unqueue(NAME, B)
    assert take(permit_repository, C)
    assert pool(permit_repository) == Pool(name=NAME, holders={C: 1})


def test_a_lowered_limit_holds_for_who_comes_next(permit_repository: PermitRepository) -> None:
    for who in (A, B):
        take(permit_repository, who, limit=2)
    permit_repository.give_back(NAME, A)
    assert not take(permit_repository, C, limit=1)
    permit_repository.give_back(NAME, B)
    assert take(permit_repository, C, limit=1)


def test_pools_have_nothing_to_do_with_each_other(permit_repository: PermitRepository) -> None:
    take(permit_repository, A)
    assert permit_repository.take("mutex:acme:Gr", A, 1, 1, LATER)
    assert permit_repository.give_back(NAME, A)
    assert (pool(permit_repository).holders, permit_repository.get("mutex:acme:Gr")) == (
        {}, Pool(name="mutex:acme:Gr", holders={A: 1}))


def test_a_pool_is_due_until_it_was_looked_at_however_busy_it_is(permit_repository: PermitRepository) -> None:
    take(permit_repository, A)
    permit_repository.take("other", A, 1, 1, LATER + SECOND)
    permit_repository.queue(NAME, B, LATER + 9 * SECOND)
    assert permit_repository.due(NOW, 9) == []
    assert permit_repository.due(LATER, 9) == [NAME]
    assert sorted(permit_repository.due(LATER + SECOND, 9)) == sorted([NAME, "other"])
    assert len(permit_repository.due(LATER + SECOND, 1)) == 1
    permit_repository.look_again(NAME, LATER + 5 * SECOND)
    assert permit_repository.due(LATER + 4 * SECOND, 9) == ["other"]


def test_a_pool_is_forgotten_once_nobody_uses_it(permit_repository: PermitRepository) -> None:
    take(permit_repository, A)
    permit_repository.queue(NAME, B, LATER)
    permit_repository.look_again(NAME, LATER)
    assert permit_repository.give_back(NAME, A)
    permit_repository.look_again(NAME, LATER)
    assert permit_repository.unqueue(NAME, B)
    permit_repository.look_again(NAME, LATER)
    assert permit_repository.get(NAME) is None
    assert permit_repository.due(LATER, 9) == []
    assert take(permit_repository, C)


def test_of_many_that_take_at_once_only_so_many_do(permit_repository: PermitRepository) -> None:
    many = [claimant(f"b{number}") for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(lambda who: take(permit_repository, who, limit=3), many))
    assert taken.count(True) == 3
    assert set(pool(permit_repository).holders) == {who for who, has_it in zip(many, taken, strict=True) if has_it}


def test_what_many_take_and_give_back_is_counted_right(permit_repository: PermitRepository) -> None:
    def often(who: Claimant) -> None:
        for _ in range(8):
            if take(permit_repository, who, limit=2):
                assert len(pool(permit_repository).holders) <= 2
                assert permit_repository.give_back(NAME, who)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(often, [claimant(f"b{number}") for number in range(6)]))
    assert pool(permit_repository).holders == {}
    assert [take(permit_repository, who, limit=2) for who in (A, B, C)] == [True, True, False]
