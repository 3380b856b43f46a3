"""Checkpoints that wait to be told: the latest of each block, the longest kept first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.contract.repositories.builders import HERE, NOW, SECOND, new_checkpoint
from workflow_service.domain.statuses import BlockStatus
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.services.ports import CheckpointRepository


def test_all_fields_come_back(checkpoint_repository: CheckpointRepository) -> None:
    checkpoint = new_checkpoint(
        epoch=2, fence=3, status=BlockStatus.FAILED, retry_count=4, agent_id="a", input={"$a": 1}, output=None,
        error={"code": "x"}, started_at=NOW, completed_at=NOW + SECOND)
    checkpoint_repository.add([checkpoint])
    assert checkpoint_repository.oldest(10) == [checkpoint]


@pytest.mark.parametrize(("epoch", "fence", "is_taken"), [
    (1, 3, True), (2, 1, True), (1, 2, True), (1, 1, False), (0, 9, False)])
def test_later_one_of_a_block_takes_the_place_of_an_earlier_one(
        checkpoint_repository: CheckpointRepository, epoch: int, fence: int, is_taken: bool) -> None:
    first = new_checkpoint(epoch=1, fence=2, output={"sum": 1}, error=None)
    other = new_checkpoint(epoch=epoch, fence=fence, output=None, error={"code": "x"})
    checkpoint_repository.add([first])
    checkpoint_repository.add([other])
    assert checkpoint_repository.oldest(10) == [other if is_taken else first]


def test_only_the_latest_of_one_call_is_kept(checkpoint_repository: CheckpointRepository) -> None:
    checkpoints = [new_checkpoint(fence=fence) for fence in (2, 3, 1)]
    checkpoint_repository.add(checkpoints)
    assert checkpoint_repository.oldest(10) == [checkpoints[1]]


def test_the_longest_kept_comes_first_and_keeps_its_age(checkpoint_repository: CheckpointRepository,
                                                        clock: VirtualClock) -> None:
    checkpoint_repository.add([new_checkpoint("b2")])
    clock.advance(SECOND)
    checkpoint_repository.add([new_checkpoint("b1")])
    clock.advance(SECOND)
    checkpoint_repository.add([new_checkpoint("b2", fence=2)])
    assert checkpoint_repository.oldest(10) == [new_checkpoint("b2", fence=2), new_checkpoint("b1")]
    assert len(checkpoint_repository.oldest(1)) == 1
    assert checkpoint_repository.lag(clock.now()) == 2 * SECOND


def test_without_checkpoints_there_is_no_lag(checkpoint_repository: CheckpointRepository) -> None:
    assert checkpoint_repository.oldest(10) == []
    assert checkpoint_repository.lag(NOW) is None
    checkpoint_repository.add([])
    checkpoint_repository.remove([])


def test_remove_leaves_a_later_one(checkpoint_repository: CheckpointRepository) -> None:
    told, later = new_checkpoint(fence=1, status=BlockStatus.AWAITING_AGENT), new_checkpoint(fence=1)
    checkpoint_repository.add([told])
    checkpoint_repository.add([later])
    checkpoint_repository.remove([told])
    assert checkpoint_repository.oldest(10) == [later]
    checkpoint_repository.remove([later, replace(later, block_id="unknown")])
    assert checkpoint_repository.oldest(10) == []


def test_removing_one_of_another_workspace_removes_nothing(checkpoint_repository: CheckpointRepository) -> None:
    checkpoint_repository.add([new_checkpoint(workspace_id=HERE)])
    checkpoint_repository.remove([new_checkpoint(workspace_id="elsewhere")])
    assert len(checkpoint_repository.oldest(10)) == 1


def test_of_many_added_at_once_the_latest_stays(checkpoint_repository: CheckpointRepository) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda fence: checkpoint_repository.add([new_checkpoint(fence=fence)]), range(1, 25)))
    assert checkpoint_repository.oldest(10) == [new_checkpoint(fence=24)]
