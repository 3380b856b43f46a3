"""Values too large for a document: nobody outside sees that they are kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.repositories.builders import (
    HERE,
    LEASE,
    NOW,
    new_approval,
    new_block,
    new_checkpoint,
    new_execution,
    new_signal,
    new_wait,
)
from workflow_service.domain.blocks import BlockExecution, claim, complete
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.mongo import blocks
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.large_values import LIMIT_BYTES
from workflow_service.services.ports import (
    ApprovalRepository,
    BlockRepository,
    CheckpointRepository,
    ExecutionRepository,
    SignalRepository,
    WaitRepository,
)

AT_LIMIT = {"text": "x" * (LIMIT_BYTES - len('{"text":""}'))}
ABOVE = {"text": "x" * LIMIT_BYTES, "$ref": "a.b"}
EIGHTEEN_MIB = {"text": "ü" * 3 * 2**20}
"""Of JSON, which is ASCII here; no document may have more than 16 MiB."""


@pytest.mark.parametrize("value", [AT_LIMIT, ABOVE], ids=["at the limit", "above"])
def test_large_values_come_back(
        block_repository: BlockRepository, execution_repository: ExecutionRepository, wait_repository: WaitRepository,
        approval_repository: ApprovalRepository, checkpoint_repository: CheckpointRepository,
        signal_repository: SignalRepository, value: dict[str, Any]) -> None:
    block = new_block(input=value, output=value)
    execution, wait = new_execution(input=value, context=value), new_wait(payload=value)
    approval, checkpoint = new_approval(payload=value, response=value), new_checkpoint(input=value, output=value)
    block_repository.insert_all([block])
    execution_repository.insert(execution)
    wait_repository.insert(wait)
    approval_repository.insert(approval)
    checkpoint_repository.add([checkpoint])
    signal = new_signal(payload=value)
    signal_repository.insert(signal)
    assert signal_repository.get(HERE, "s1") == signal
    assert block_repository.get_all(HERE, "x1", ["b1"]) == [block]
    assert execution_repository.get(HERE, "x1") == execution
    assert wait_repository.get(HERE, wait.id) == wait
    assert approval_repository.get(HERE, "a1") == approval
    assert checkpoint_repository.oldest(1) == [checkpoint]


def test_value_larger_than_any_document_comes_back(block_repository: BlockRepository) -> None:
    block_repository.insert(new_block(output=EIGHTEEN_MIB))
    found = block_repository.get(HERE, "x1:b1")
    assert found is not None and found.output == EIGHTEEN_MIB


def test_large_value_grows_shrinks_and_goes(block_repository: BlockRepository) -> None:
    block = new_block(input={"small": 1})
    block_repository.insert(block)
    for value in (ABOVE, {**ABOVE, "more": 1}, {"small": 2}, None):
        after = replace(block, version=block.version + 1, input=value)
        assert block_repository.change(block, after)
        assert block_repository.get(HERE, block.id) == after
        block = after


@pytest.fixture
def in_mongo(store: Store) -> Iterator[BlocksInMongo]:
    """Block executions on the real server alone, to look at what is stored."""
    yield BlocksInMongo(store)


def running(repository: BlocksInMongo) -> BlockExecution:
    ready = new_block()
    repository.insert(ready)
    claimed = claim(ready, "worker-1", NOW, LEASE)
    repository.change(ready, claimed)
    return claimed


def stored_output(store: Store) -> Any:
    raw = store.collection(blocks.COLLECTION).find_one({"_id": "x1:b1"})
    assert raw is not None
    return raw["output"]


def file_ids(store: Store) -> list[str]:
    return [raw["_id"] for raw in store.collection("fs.files").find()]


def test_only_what_is_large_leaves_the_document(in_mongo: BlocksInMongo, store: Store) -> None:
    in_mongo.insert(new_block(input=AT_LIMIT, output=ABOVE))
    raw = store.collection(blocks.COLLECTION).find_one({"_id": "x1:b1"})
    assert raw is not None
    assert raw["input"] == AT_LIMIT
    assert list(raw["output"]) == ["%file"]
    assert file_ids(store) == [raw["output"]["%file"]]


def test_file_is_named_for_the_attempt_and_stored_once(in_mongo: BlocksInMongo, store: Store) -> None:
    claimed = running(in_mongo)
    done = complete(claimed, ABOVE, None, NOW, LEASE)
    assert in_mongo.change(claimed, done)
    assert not in_mongo.change(claimed, done)
    CheckpointsInMongo(store, VirtualClock(NOW)).add([new_checkpoint(epoch=1, fence=1, output=ABOVE)])
    (file_id,) = file_ids(store)
    assert file_id.startswith("x1:b1:1:1:output:")


def test_loser_of_a_race_leaves_the_winners_value_alone(in_mongo: BlocksInMongo) -> None:
    claimed = running(in_mongo)
    other = {**ABOVE, "other": True}
    assert in_mongo.change(claimed, complete(claimed, ABOVE, None, NOW, LEASE))
    assert not in_mongo.change(claimed, complete(claimed, other, None, NOW, LEASE))
    found = in_mongo.get(HERE, "x1:b1")
    assert found is not None and found.output == ABOVE


def test_half_written_file_of_a_dead_process_is_left_alone(in_mongo: BlocksInMongo, store: Store) -> None:
    claimed = running(in_mongo)
    done = complete(claimed, ABOVE, None, NOW, LEASE)
    in_mongo.change(claimed, done)
    (file_id,) = file_ids(store)
    # as if the process had died before it wrote what makes a file complete
    store.collection("fs.files").delete_one({"_id": file_id})
    store.collection("fs.chunks").delete_one({"files_id": file_id, "n": 1})
    store.collection(blocks.COLLECTION).delete_one({"_id": "x1:b1"})
    assert in_mongo.insert(done)
    assert in_mongo.get(HERE, "x1:b1") == done
    assert stored_output(store)["%file"].startswith(f"{file_id}:")
