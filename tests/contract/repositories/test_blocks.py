"""Block executions: what is done beside the versions, and that no change undoes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, LEASE, NOW, SECOND, new_block
from workflow_service.domain.agents import Failure, FailureClass
from workflow_service.domain.blocks import (
    BlockExecution,
    claim,
    complete,
    decide_edge,
    restart,
    wait_for_retry,
)
from workflow_service.domain.statuses import BLOCK_ENDS, BlockStatus, WaitKind
from workflow_service.services.ports import BlockRepository

FAILURE = Failure(code="busy", failure_class=FailureClass.TRANSIENT, message="Later, please.")


def stored(repository: BlockRepository, block_id: str = "b1") -> BlockExecution:
    found = repository.get(HERE, f"x1:{block_id}")
    assert found is not None
    return found


def inserted(repository: BlockRepository, block_id: str = "b1", **fields: Any) -> BlockExecution:
    block = new_block(block_id, **fields)
    assert repository.insert(block)
    return block


def running(repository: BlockRepository) -> BlockExecution:
    """Return a block that was claimed at NOW for one lease."""
    ready = inserted(repository)
    claimed = claim(ready, "worker-1", NOW, LEASE)
    assert repository.change(ready, claimed)
    return claimed


def test_all_fields_come_back(block_repository: BlockRepository) -> None:
    block = new_block(
        agent_id=None, status=BlockStatus.COMPLETED, version=9, epoch=2, fence=3, pending_edges=("a:1", "b:2"),
        satisfied=4, lease_owner="w", lease_until=NOW, attempt=5, retry_count=6, lost_leases=7, sent=8, due_at=NOW,
        started_at=NOW, completed_at=NOW + SECOND, input={"a": [1, {"b": None}]}, output={}, error={"code": "x"},
        parked_for=WaitKind.AGENT, chosen=(), released=True,
        retry_at=NOW + SECOND, supplied={"output": {"a.b": [1, {"$x": None}]}, "chosen": ["c"], "by": "ann"})
    block_repository.insert(block)
    assert block_repository.get(HERE, "x1:b1") == block


def test_insert_all_leaves_what_is_there(block_repository: BlockRepository) -> None:
    first = inserted(block_repository, "b2", satisfied=5)
    block_repository.insert_all([new_block("b1"), new_block("b2"), new_block("b3")])
    block_repository.insert_all([])
    assert stored(block_repository, "b2") == first
    assert stored(block_repository, "b3") == new_block("b3")


def test_get_all_leaves_out_what_is_missing_or_elsewhere(block_repository: BlockRepository) -> None:
    block_repository.insert_all([new_block("b1"), new_block("b2"), new_block("b3", workspace_id=ELSEWHERE),
                                 new_block("b4", execution_id="x2")])
    found = block_repository.get_all(HERE, "x1", ["b2", "b1", "b3", "b4", "b5"])
    assert {block.id for block in found} == {"x1:b1", "x1:b2"}
    assert block_repository.get_all(HERE, "x1", []) == []


def test_get_all_finds_more_than_one_query_takes(block_repository: BlockRepository) -> None:
    names = [f"b{number}" for number in range(502)]
    block_repository.insert_all([new_block(name) for name in names])
    assert {block.block_id for block in block_repository.get_all(HERE, "x1", names)} == set(names)


def test_statuses_of_blocks_that_are_here(block_repository: BlockRepository) -> None:
    names = {f"b-{status.value}": status for status in BlockStatus}
    block_repository.insert_all([new_block(name, status=status) for name, status in names.items()])
    block_repository.insert_all([new_block("elsewhere", workspace_id=ELSEWHERE), new_block("x2", execution_id="x2")])
    assert block_repository.statuses(HERE, "x1", [*names, "elsewhere", "x2", "missing"]) == names
    assert block_repository.statuses(HERE, "x1", ["b-ready"]) == {"b-ready": BlockStatus.READY}
    assert block_repository.statuses(ELSEWHERE, "x1", list(names)) == {}
    assert block_repository.statuses(HERE, "x1", []) == {}


def test_statuses_of_more_blocks_than_one_query_takes(block_repository: BlockRepository) -> None:
    names = [f"b{number}" for number in range(502)]
    block_repository.insert_all([new_block(name) for name in names])
    assert block_repository.statuses(HERE, "x1", names) == dict.fromkeys(names, BlockStatus.READY)


def test_change_that_decides_an_edge_holds_only_on_the_edges_it_saw(block_repository: BlockRepository) -> None:
    block = inserted(block_repository, pending_edges=("a:1", "b:1"))
    for imagined in (("a:1",), ("b:1", "a:1"), ("a:2", "b:1")):
        before = replace(block, pending_edges=imagined)
        assert not block_repository.change(before, claim(replace(before, pending_edges=()), "worker-1", NOW, LEASE))
    assert stored(block_repository) == block
    assert block_repository.change(block, claim(decide_edge(block, "a:1", True), "worker-1", NOW, LEASE))
    assert (stored(block_repository).pending_edges, stored(block_repository).satisfied) == (("b:1",), 1)


def test_restart_opens_edges_again(block_repository: BlockRepository) -> None:
    block = inserted(block_repository, pending_edges=("a:1", "b:1"))
    before = replace(decide_edge(block, "a:1", True), version=1)
    assert block_repository.change(block, before)
    after = restart(before, 2, ("a:2", "b:1"), NOW, agent_id="agent")
    assert block_repository.change(before, after)
    assert stored(block_repository) == after


def test_edges_decided_by_many_at_once_are_all_counted(block_repository: BlockRepository) -> None:
    entries = tuple(f"a{number}:1" for number in range(12))
    inserted(block_repository, pending_edges=entries)

    def decide(entry: str) -> None:
        while True:
            before = stored(block_repository)
            decided = decide_edge(before, entry, True)
            if decided is before or block_repository.change(before, replace(decided, version=before.version + 1)):
                return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(decide, entries))
    assert (stored(block_repository).pending_edges, stored(block_repository).satisfied) == ((), 12)


def test_extend_lease_moves_lease_and_due_alone(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    assert block_repository.extend_lease(block, NOW + 2 * LEASE)
    assert stored(block_repository) == replace(block, lease_until=NOW + 2 * LEASE, due_at=NOW + 2 * LEASE)


def test_extend_lease_twice_to_the_same_instant_holds(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    assert block_repository.extend_lease(block, NOW + LEASE)
    assert block_repository.extend_lease(block, NOW + LEASE)


def test_lease_of_a_lost_fence_is_not_extended(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    taken = claim(block, "worker-2", NOW + LEASE, LEASE)
    assert block_repository.change(block, taken)
    assert not block_repository.extend_lease(block, NOW + 3 * LEASE)
    assert stored(block_repository) == taken


def test_lease_of_what_does_not_run_is_not_extended(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    done = complete(block, {}, None, NOW, LEASE)
    assert block_repository.change(block, done)
    assert not block_repository.extend_lease(block, NOW + 3 * LEASE)
    assert not block_repository.extend_lease(replace(block, workspace_id=ELSEWHERE), NOW + 3 * LEASE)
    assert stored(block_repository) == done


def test_completion_holds_although_the_lease_was_extended(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    block_repository.extend_lease(block, NOW + 2 * LEASE)
    done = complete(block, {"sum": 3}, ("b2",), NOW, LEASE)
    assert block_repository.change(block, done)
    assert stored(block_repository) == done


def test_lease_that_its_owner_extended_is_not_taken_over(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    takeover = claim(block, "worker-2", NOW + LEASE, LEASE)
    assert block_repository.extend_lease(block, NOW + 2 * LEASE)
    assert not block_repository.change(block, takeover)
    assert stored(block_repository).lease_owner == "worker-1"


def test_defer_stores_when_to_look_again_on_the_same_version_only(block_repository: BlockRepository) -> None:
    block = inserted(block_repository)
    block_repository.defer(block, NOW + LEASE, 3)
    assert stored(block_repository) == replace(block, due_at=NOW + LEASE, sent=3)
    claimed = claim(stored(block_repository), "worker-1", NOW, LEASE)
    assert block_repository.change(block, claimed)
    block_repository.defer(block, NOW, 4)
    block_repository.defer(replace(claimed, workspace_id=ELSEWHERE), NOW, 4)
    assert stored(block_repository).due_at == claimed.due_at


def test_rest_stores_that_a_block_was_released(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    done = complete(block, {}, None, NOW, LEASE)
    block_repository.change(block, done)
    block_repository.rest([replace(done, released=True, due_at=None)])
    assert stored(block_repository) == replace(done, released=True, due_at=None, outbox=())


def test_rest_of_a_hundred_blocks_rests_each(block_repository: BlockRepository) -> None:
    block_repository.insert_all([new_block(f"b{number}") for number in range(100)])
    names = [f"b{number}" for number in range(100)]
    for before in block_repository.get_all(HERE, "x1", names)[::10]:
        block_repository.change(before, claim(before, "worker-1", NOW, LEASE))
    block_repository.rest([replace(block, due_at=None) for block in block_repository.get_all(HERE, "x1", names)])
    found = block_repository.get_all(HERE, "x1", names)
    assert {(block.outbox, block.due_at) for block in found} == {((), None)}


def test_value_that_only_python_takes_for_the_same_is_changed(block_repository: BlockRepository) -> None:
    before = inserted(block_repository, input={"flag": 1})
    after = replace(claim(before, "worker-1", NOW, LEASE), input={"flag": True})
    assert block_repository.change(before, after)
    assert (stored(block_repository).input or {})["flag"] is True


def test_error_goes_and_comes_with_its_transitions(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    waiting = wait_for_retry(block, FAILURE, NOW + LEASE, NOW, "busy")
    assert block_repository.change(block, waiting)
    assert stored(block_repository).error == FAILURE.to_document()
    fresh = restart(waiting, 2, (), NOW, agent_id="agent")
    assert block_repository.change(waiting, fresh)
    assert stored(block_repository) == fresh


@pytest.mark.parametrize("status", [*BlockStatus])
def test_block_is_open_until_it_has_ended(block_repository: BlockRepository, status: BlockStatus) -> None:
    inserted(block_repository, status=status)
    assert block_repository.first_open(HERE, "x1", ["b1"]) == (None if status in BLOCK_ENDS else "b1")


def test_first_open_looks_in_the_given_order(block_repository: BlockRepository) -> None:
    names = [f"b{number}" for number in range(60)]
    block_repository.insert_all([new_block(name, status=BlockStatus.COMPLETED) for name in names[:58]])
    block_repository.insert_all([new_block(name) for name in names[58:]])
    assert block_repository.first_open(HERE, "x1", names) == "b58"
    assert block_repository.first_open(HERE, "x1", names[::-1]) == "b59"
    assert block_repository.first_open(HERE, "x1", names[:58]) is None
    assert block_repository.first_open(HERE, "x1", ["missing"]) is None
    assert block_repository.first_open(HERE, "x1", []) is None
    assert block_repository.first_open(ELSEWHERE, "x1", names) is None


def test_outlines_leave_out_what_may_be_large(block_repository: BlockRepository) -> None:
    block = running(block_repository)
    done = complete(replace(block, input={"a": 1}), {"large": "x" * 300_000}, ("c",), NOW, LEASE)
    assert block_repository.change(block, done)
    assert block_repository.outlines(HERE, "x1", ["b1", "unknown"]) == [
        replace(done, input=None, output=None, outbox=())]
    assert block_repository.outlines(ELSEWHERE, "x1", ["b1"]) == []
