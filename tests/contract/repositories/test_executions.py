"""Executions: slots beside the versions, and those that have not ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, LEASE, NOW, SECOND, new_execution
from workflow_service.domain.commands import CancelMode, ClockRule
from workflow_service.domain.execution import Execution, Slot, begin_restart, close, end_restart, hold, lift
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.services.ports import ExecutionRepository


def slots_of(repository: ExecutionRepository) -> tuple[Slot, ...]:
    found = repository.get(HERE, "x1")
    assert found is not None
    return found.slots


def slot(number: int) -> Slot:
    return Slot(block_id=f"b{number}", fence=1)


def test_all_fields_come_back(execution_repository: ExecutionRepository) -> None:
    execution = new_execution(
        input={"order": 7}, context={"tenant": "x"}, generation=3, holds=("operator", "restart"), hold_number=4,
        slots=(slot(1),), slot_queue=("b2", "join~0~1"), restart_targets={"b1": 2, "join~0~1": 3},
        remaining=timedelta(milliseconds=1500), deadline=NOW + LEASE, due_at=NOW, completed_at=NOW,
        error={"code": "timeout"}, clock_stopped_by=("agent:a.b", "operator"), stopped_since=NOW - SECOND,
        stopped_for=timedelta(days=3, milliseconds=7), reason="An audit.", cancel_mode=CancelMode.FORCE,
        revoked=("b1", "join~0~1"), withdrawing={"b3": "late", "join~0~1": "cancelled"}, ended_by="b9:2",
        tags=("legal", "a.b $x"), idempotency_key="k %.$1", request_digest="ab12",
        attributes={"a.b": "x:y", "n": 7, "f": 1.5, "whole": 2.0, "yes": True, "long": 2**62, "empty": ""},
        restart_supplied={"b1": {"output": {"a.b": [1, None], "$x": {}}, "chosen": ["b2"], "by": "ann"},
                          "join~0~1": {"output": {}, "chosen": None, "by": "ann"}})
    execution_repository.insert(execution)
    assert execution_repository.get(HERE, "x1") == execution


def test_what_a_hold_and_a_restart_write_comes_back(execution_repository: ExecutionRepository) -> None:
    before = new_execution()
    execution_repository.insert(before)
    changes: list[Callable[[Execution], Execution]] = [
        lambda run: hold(run, "operator", NOW, clock=ClockRule.STOP, reason="An audit.", by="ann"),
        lambda run: lift(run, "operator", NOW + SECOND),
        lambda run: begin_restart(run, {"b1": 2}, LEASE, NOW, supplied={"b1": {"output": {}}}, by="ann"),
        lambda run: end_restart(run, NOW)]
    for change in changes:
        after = change(before)
        assert execution_repository.change(before, after)
        assert execution_repository.get(HERE, "x1") == after
        before = after
    assert (before.stopped_for, before.stopped_since, before.restart_supplied) == (SECOND, None, None)


def test_no_more_slots_than_the_limit(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution())
    taken = [execution_repository.take_slot(HERE, "x1", slot(number), 2) for number in range(3)]
    assert taken == [True, True, False]
    assert slots_of(execution_repository) == (slot(0), slot(1))


def test_many_threads_take_no_more_slots_than_the_limit(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution())
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: execution_repository.take_slot(HERE, "x1", slot(number), 3), range(8)))
    assert taken.count(True) == 3
    assert set(slots_of(execution_repository)) == {slot(number) for number in range(8) if taken[number]}


def test_same_slot_is_not_taken_twice(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution())
    assert execution_repository.take_slot(HERE, "x1", slot(1), 5)
    assert not execution_repository.take_slot(HERE, "x1", slot(1), 5)
    assert slots_of(execution_repository) == (slot(1),)


def test_freed_slot_can_be_taken_again(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution(slots=(slot(1), slot(2))))
    assert execution_repository.free_slots(HERE, "x1", [slot(1), slot(9)])
    assert execution_repository.take_slot(HERE, "x1", slot(3), 2)
    assert slots_of(execution_repository) == (slot(2), slot(3))


def test_freeing_a_slot_of_another_fence_frees_nothing(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution(slots=(slot(1),)))
    assert not execution_repository.free_slots(HERE, "x1", [replace(slot(1), fence=2)])
    assert slots_of(execution_repository) == (slot(1),)


def test_slots_of_another_workspace_are_out_of_reach(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution(slots=(slot(1),)))
    assert not execution_repository.take_slot(ELSEWHERE, "x1", slot(2), 5)
    assert not execution_repository.free_slots(ELSEWHERE, "x1", [slot(1)])
    assert slots_of(execution_repository) == (slot(1),)


def test_change_keeps_slots_that_were_taken_meanwhile(execution_repository: ExecutionRepository) -> None:
    before = new_execution()
    execution_repository.insert(before)
    execution_repository.take_slot(HERE, "x1", slot(1), 5)
    assert execution_repository.change(before, hold(before, "operator", NOW))
    assert slots_of(execution_repository) == (slot(1),)


def test_close_empties_the_slots(execution_repository: ExecutionRepository) -> None:
    before = new_execution(slots=(slot(1),))
    execution_repository.insert(before)
    assert execution_repository.change(before, close(before, ExecutionStatus.COMPLETED, None, NOW))
    assert slots_of(execution_repository) == ()


def queue_of(repository: ExecutionRepository) -> tuple[str, ...]:
    found = repository.get(HERE, "x1")
    assert found is not None
    return found.slot_queue


def test_queued_blocks_go_to_the_end_each_once(execution_repository: ExecutionRepository) -> None:
    before = new_execution(version=3)
    execution_repository.insert(before)
    execution_repository.queue_blocks(HERE, "x1", ["b9", "b2", "b9"])
    execution_repository.queue_blocks(HERE, "x1", ["b1", "b9", "b0"])
    execution_repository.queue_blocks(HERE, "x1", [])
    assert execution_repository.get(HERE, "x1") == replace(before, slot_queue=("b9", "b2", "b1", "b0"))


def test_unqueued_blocks_go_and_the_rest_keeps_its_order(execution_repository: ExecutionRepository) -> None:
    before = new_execution(version=3, slot_queue=("b3", "b1", "b4", "b2"))
    execution_repository.insert(before)
    execution_repository.unqueue_blocks(HERE, "x1", ["b4", "unknown", "b3"])
    execution_repository.unqueue_blocks(HERE, "x1", [])
    assert execution_repository.get(HERE, "x1") == replace(before, slot_queue=("b1", "b2"))
    execution_repository.unqueue_blocks(HERE, "x1", ["b1", "b2"])
    execution_repository.queue_blocks(HERE, "x1", ["b3"])
    assert queue_of(execution_repository) == ("b3",)


def test_queue_of_another_workspace_is_out_of_reach(execution_repository: ExecutionRepository) -> None:
    before = new_execution(slot_queue=("b1",))
    execution_repository.insert(before)
    execution_repository.queue_blocks(ELSEWHERE, "x1", ["b2"])
    execution_repository.unqueue_blocks(ELSEWHERE, "x1", ["b1"])
    assert execution_repository.get(HERE, "x1") == before


def test_queue_of_what_is_not_there_is_none(execution_repository: ExecutionRepository) -> None:
    execution_repository.queue_blocks(HERE, "x1", ["b1"])
    execution_repository.unqueue_blocks(HERE, "x1", ["b1"])
    assert execution_repository.get(HERE, "x1") is None


def test_many_threads_queue_each_block_once(execution_repository: ExecutionRepository) -> None:
    execution_repository.insert(new_execution())
    names = [f"b{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda name: execution_repository.queue_blocks(HERE, "x1", [name, "last"]), names * 3))
    assert sorted(queue_of(execution_repository)) == [*names, "last"]


def test_change_keeps_blocks_that_were_queued_meanwhile(execution_repository: ExecutionRepository) -> None:
    before = new_execution(slot_queue=("b1",))
    execution_repository.insert(before)
    execution_repository.queue_blocks(HERE, "x1", ["b2"])
    execution_repository.unqueue_blocks(HERE, "x1", ["b1"])
    assert execution_repository.change(before, hold(before, "operator", NOW))
    assert queue_of(execution_repository) == ("b2",)


def test_queueing_does_not_outdate_a_reading(execution_repository: ExecutionRepository) -> None:
    before = new_execution()
    execution_repository.insert(before)
    execution_repository.queue_blocks(HERE, "x1", ["b1"])
    after = hold(before, "operator", NOW)
    assert execution_repository.change(before, after)
    assert execution_repository.get(HERE, "x1") == replace(after, slot_queue=("b1",))


def test_close_empties_the_queue(execution_repository: ExecutionRepository) -> None:
    before = new_execution(slot_queue=("b1",))
    execution_repository.insert(before)
    assert execution_repository.change(before, close(before, ExecutionStatus.COMPLETED, None, NOW))
    assert queue_of(execution_repository) == ()


@pytest.fixture
def live(execution_repository: ExecutionRepository) -> ExecutionRepository:
    """An execution of each status, in two workspaces, and their ids are in the order of the statuses."""
    for number, status in enumerate(ExecutionStatus):
        execution_repository.insert(new_execution(f"x{number}", status=status))
        execution_repository.insert(new_execution(f"y{number}", status=status, workspace_id=ELSEWHERE))
    return execution_repository


ALIVE = [number for number, status in enumerate(ExecutionStatus) if not status.is_terminal]


def test_live_executions_of_a_workspace(live: ExecutionRepository) -> None:
    assert [(key.workspace_id, key.identifier) for key in live.live(HERE, "", 100)] == [
        (HERE, f"x{number}") for number in ALIVE]


def test_live_executions_of_all_workspaces(live: ExecutionRepository) -> None:
    assert [(key.workspace_id, key.identifier) for key in live.live(None, "", 100)] == [
        *((HERE, f"x{number}") for number in ALIVE), *((ELSEWHERE, f"y{number}") for number in ALIVE)]


@pytest.mark.parametrize("workspace_id", [HERE, None])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_live_executions_page_by_page(live: ExecutionRepository, workspace_id: str | None, limit: int) -> None:
    found: list[str] = []
    while page := live.live(workspace_id, found[-1] if found else "", limit):
        assert len(page) <= limit
        found += [key.identifier for key in page]
    assert found == [key.identifier for key in live.live(workspace_id, "", 100)]


def test_live_executions_after_one_that_is_not_there(live: ExecutionRepository) -> None:
    assert [key.identifier for key in live.live(HERE, "x1zzz", 1)] == ["x2"]
    assert not live.live(HERE, "z", 100)
    assert not live.live("nowhere", "", 100)


def test_what_others_have_changed_is_not_unchanged(execution_repository: ExecutionRepository) -> None:
    stored = [new_execution(f"x{number}", version=number) for number in range(120)]
    for execution in stored:
        execution_repository.insert(execution)
    changed = replace(stored[7], version=8, reason="Another.")
    assert execution_repository.change(stored[7], changed)

    found = execution_repository.unchanged([*stored, new_execution("nowhere")])

    assert found == [execution for execution in stored if execution is not stored[7]]
    assert execution_repository.unchanged([changed]) == [changed]
    assert execution_repository.unchanged([]) == []
