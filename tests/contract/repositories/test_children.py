"""Executions that are a part of another one: how they are kept, found and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.repositories.builders import (
    ELSEWHERE,
    HERE,
    NOW,
    new_approval,
    new_block,
    new_execution,
    new_wait,
)
from workflow_service.domain import children
from workflow_service.domain.children import Body, Parent, new_round
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.flow import Tolerance
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus, WaitKind
from workflow_service.domain.wait import count
from workflow_service.services.ports import (
    ApprovalRepository,
    BlockRepository,
    ExecutionRepository,
    WaitRepository,
)

COMPLETED, FAILED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED


def a_child(execution_id: str, index: int, block_id: str = "m", epoch: int = 1, **more: Any) -> Any:
    """Return a child of the execution ``x1``."""
    return new_execution(execution_id, parent=Parent(execution_id="x1", block_id=block_id, epoch=epoch, index=index),
                         ancestors=("x0", "x1"), **more)


def test_all_fields_come_back(execution_repository: ExecutionRepository, wait_repository: WaitRepository,
                              block_repository: BlockRepository) -> None:
    child = a_child("c1", 7, body=Body(block_id="m", level=1))
    execution_repository.insert(child)
    assert execution_repository.get(HERE, "c1") == child
    fresh = new_round(0, 9, 3, Tolerance(percent=10), "1.0.0")
    begun = children.ended_badly(fresh, 4, {"code": "no", "deep": {"a": 1}})
    wait = new_wait("m", kind=WaitKind.CHILDREN, children=replace(begun, begun=True))
    wait_repository.insert(wait)
    assert wait_repository.get(HERE, wait.id) == wait
    block = new_block("m", round=3)
    block_repository.insert(block)
    assert block_repository.get(HERE, block.id) == block


def test_lists_show_what_somebody_started_or_the_children_of_one(execution_repository: ExecutionRepository) -> None:
    for execution in (new_execution("x1"), a_child("c1", 0), a_child("c2", 1, workspace_id=ELSEWHERE)):
        execution_repository.insert(execution)
    for parent_id, expected in ((None, ["x1"]), ("x1", ["c1"]), ("c1", [])):
        found, total = execution_repository.page(HERE, ExecutionFilter(parent_id=parent_id))
        assert ([one.execution_id for one in found], total) == (expected, len(expected))


def test_children_that_have_not_ended_are_found(execution_repository: ExecutionRepository) -> None:
    for execution in (new_execution("x1"), a_child("c1", 0), a_child("c2", 1, status=COMPLETED), a_child("c3", 2),
                      a_child("c4", 0, workspace_id=ELSEWHERE)):
        execution_repository.insert(execution)
    found = execution_repository.live_children(HERE, "x1", 10)
    assert sorted(one.execution_id for one in found) == ["c1", "c3"]
    assert len(execution_repository.live_children(HERE, "x1", 1)) == 1
    assert not execution_repository.live_children(HERE, "x0", 10)


def test_children_are_counted_by_block_epoch_and_status(execution_repository: ExecutionRepository) -> None:
    for execution in (a_child("c1", 0, status=COMPLETED), a_child("c2", 1, status=COMPLETED),
                      a_child("c3", 2, status=FAILED), a_child("c4", 0, epoch=2), a_child("c5", 0, block_id="n"),
                      a_child("c6", 3, workspace_id=ELSEWHERE)):
        execution_repository.insert(execution)
    assert execution_repository.child_counts(HERE, "x1") == {
        ("m", 1): {"completed": 2, "failed": 1}, ("m", 2): {"running": 1}, ("n", 1): {"running": 1}}
    assert execution_repository.child_counts(HERE, "c1") == {}


def test_of_two_who_count_at_once_one_has_to_look_again(wait_repository: WaitRepository) -> None:
    wait = new_wait("m", kind=WaitKind.CHILDREN, children=new_round(0, 2, 2))
    wait_repository.insert(wait)
    assert wait.children is not None
    left, right = (count(wait, children.close_lane(wait.children, lane), NOW) for lane in (0, 1))
    assert (wait_repository.change(wait, left), wait_repository.change(wait, right)) == (True, False)
    found = wait_repository.get(HERE, wait.id)
    assert found is not None and found.children is not None and found.children.open_lanes == (1,)


def test_requests_of_parts_are_found_with_those_of_the_whole(approval_repository: ApprovalRepository) -> None:
    for approval in (new_approval("a1"), new_approval("a2", execution_id="c1", ancestors=("x0", "x1")),
                     new_approval("a3", execution_id="x2"), new_approval("a4", execution_id="x0")):
        approval_repository.insert(approval)

    def asked(**wanted: Any) -> list[str]:
        usual: dict[str, Any] = {"roles": None, "execution_id": None, "block_id": None, "type": None, "limit": 10}
        return sorted(one.approval_id for one in approval_repository.pending(HERE, **{**usual, **wanted}))

    assert asked(execution_id="x1") == ["a1"]
    assert asked(within="x1") == ["a1", "a2"]
    assert asked(within="x0") == ["a2", "a4"]
    assert [one.approval_id for one in approval_repository.of_family(HERE, "c1")] == ["a2"]


def test_blocks_of_several_executions_are_read_at_once(block_repository: BlockRepository) -> None:
    blocks = [new_block("m", execution_id=name, status=BlockStatus.COMPLETED, output={"of": name})
              for name in ("c1", "c2")]
    block_repository.insert_all([*blocks, new_block("m", execution_id="c3", workspace_id=ELSEWHERE)])
    found = block_repository.get_many(HERE, ["c2:m", "c1:m", "c3:m", "c4:m"])
    assert sorted(found, key=lambda one: one.id) == blocks
