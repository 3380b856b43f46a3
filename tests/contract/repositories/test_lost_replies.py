"""Writes whose request or reply gets lost on the way: each is done once, and the answer is the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.contract.repositories.builders import (
    HERE,
    LEASE,
    NOW,
    new_block,
    new_checkpoint,
    new_event,
    new_execution,
    new_template,
)
from tests.contract.repositories.lossy_proxy import Fault, LossyProxy
from workflow_service.domain.blocks import BlockExecution, claim, complete, decide_edge
from workflow_service.domain.execution import Slot
from workflow_service.domain.permits import Claimant, Pool
from workflow_service.domain.template_status import TemplateStatus
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.mongo import events
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes
from workflow_service.repositories.mongo.large_values import LIMIT_BYTES
from workflow_service.repositories.mongo.permits import PermitsInMongo
from workflow_service.repositories.mongo.templates import VERSIONS, TemplatesInMongo

HOLDER = Claimant(workspace_id=HERE, execution_id="x1", block_id="b1", epoch=1)
OTHER = replace(HOLDER, block_id="b2")
SLOT = Slot(block_id="b1", fence=1)
LARGE = {"text": "x" * LIMIT_BYTES}


@pytest.fixture
def proxy(mongodb_server: str) -> Iterator[LossyProxy]:
    """A proxy in front of the server."""
    host, port = mongodb_server.removeprefix("mongodb://").split(":")
    with LossyProxy(host, int(port)) as running:
        yield running


@pytest.fixture
def behind(proxy: LossyProxy, mongodb_url: str) -> Iterator[Store]:
    """The test's database, reached through the proxy."""
    database = mongodb_url.rpartition("/")[2]
    connected = connect(f"mongodb://{proxy.address}/{database}", alias=uuid4().hex)
    # uniqueness is a matter of ids everywhere else
    create_indexes(connected, {events.COLLECTION: INDEXES[events.COLLECTION]})
    yield connected
    connected.close()


@pytest.fixture(params=[Fault.REQUEST_LOST, Fault.REPLY_LOST], ids=lambda fault: fault.name)
def lose(request: pytest.FixtureRequest, proxy: LossyProxy) -> Iterator[Callable[[str], None]]:
    """Make the next message with a command meet each kind of loss; the test fails if none came."""
    yield lambda command: proxy.arm(command, request.param)
    assert not proxy.is_armed


def inserted(blocks: BlocksInMongo) -> BlockExecution:
    block = new_block(pending_edges=("a:1",))
    assert blocks.insert(block)
    return block


def test_insert(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    lose("insert")
    assert blocks.insert(new_block())
    assert blocks.get(HERE, "x1:b1") == new_block()


def test_insert_of_a_taken_id(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    first = inserted(blocks)
    lose("insert")
    assert not blocks.insert(replace(first, satisfied=9))
    assert blocks.get(HERE, first.id) == first


def test_insert_all(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    lose("insert")
    blocks.insert_all([new_block("b1"), new_block("b2")])
    assert len(blocks.get_all(HERE, "x1", ["b1", "b2"])) == 2


def test_change(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    claimed = claim(block, "worker-1", NOW, LEASE)
    lose("update")
    assert blocks.change(block, claimed)
    assert blocks.get(HERE, block.id) == claimed


def test_change_of_an_old_reading(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    winner = claim(block, "worker-1", NOW, LEASE)
    assert blocks.change(block, winner)
    lose("update")
    assert not blocks.change(block, claim(block, "worker-2", NOW, LEASE))
    assert blocks.get(HERE, block.id) == winner


def test_change_on_edges_that_are_gone(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    block = replace(block, pending_edges=("a:2",))
    lose("update")
    assert not blocks.change(block, claim(decide_edge(block, "a:2", True), "worker-1", NOW, LEASE))


def test_change_that_somebody_built_upon(behind: Store, proxy: LossyProxy, store: Store) -> None:
    blocks, others = BlocksInMongo(behind), BlocksInMongo(store)
    block = inserted(blocks)
    claimed = claim(block, "worker-1", NOW, LEASE)
    done = complete(claimed, {}, None, NOW, LEASE)
    proxy.arm("update", Fault.REPLY_LOST, meanwhile=lambda: others.change(claimed, done))
    # nobody knows any more whose claim it was, and who does not know must not go on
    assert not blocks.change(block, claimed)
    assert blocks.get(HERE, block.id) == done


def test_change_that_arrives_late_is_not_done_twice(behind: Store, proxy: LossyProxy) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    claimed = claim(block, "worker-1", NOW, LEASE)
    proxy.arm("update", Fault.REQUEST_LATE)
    assert blocks.change(block, claimed)
    proxy.deliver_late()
    assert blocks.get(HERE, block.id) == claimed


def test_extend_lease(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    claimed = claim(block, "worker-1", NOW, LEASE)
    blocks.change(block, claimed)
    lose("update")
    assert blocks.extend_lease(claimed, NOW + 2 * LEASE)


def test_rest(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    block = inserted(blocks)
    claimed = claim(block, "worker-1", NOW, LEASE)
    blocks.change(block, claimed)
    lose("update")
    blocks.rest([claimed])
    assert blocks.get(HERE, block.id) == replace(claimed, outbox=())


def test_slots(behind: Store, lose: Callable[[str], None]) -> None:
    executions = ExecutionsInMongo(behind)
    executions.insert(new_execution())
    lose("update")
    assert executions.take_slot(HERE, "x1", SLOT, 1)
    assert executions.get(HERE, "x1") == new_execution(slots=(SLOT,))
    lose("update")
    assert executions.free_slots(HERE, "x1", [SLOT])
    assert executions.get(HERE, "x1") == new_execution()


def test_slot_queue(behind: Store, lose: Callable[[str], None]) -> None:
    executions = ExecutionsInMongo(behind)
    executions.insert(new_execution(slot_queue=("b3",)))
    lose("update")
    executions.queue_blocks(HERE, "x1", ["b2", "b1"])
    assert executions.get(HERE, "x1") == new_execution(slot_queue=("b3", "b2", "b1"))
    lose("update")
    executions.unqueue_blocks(HERE, "x1", ["b2"])
    assert executions.get(HERE, "x1") == new_execution(slot_queue=("b3", "b1"))


def test_no_slot_is_free(behind: Store, lose: Callable[[str], None]) -> None:
    executions = ExecutionsInMongo(behind)
    executions.insert(new_execution(slots=(SLOT,)))
    lose("update")
    assert not executions.take_slot(HERE, "x1", Slot(block_id="b2", fence=1), 1)


def test_large_value(behind: Store, lose: Callable[[str], None]) -> None:
    blocks = BlocksInMongo(behind)
    # the chunks of a file are the first that is inserted
    lose("insert")
    assert blocks.insert(new_block(output=LARGE))
    assert blocks.get(HERE, "x1:b1") == new_block(output=LARGE)


def test_events(behind: Store, lose: Callable[[str], None]) -> None:
    relay = EventsInMongo(behind)
    given = [new_event(version=version) for version in range(1, 6)]
    relay.append(given[:1])
    lose("insert")
    added = relay.append(given)
    assert [(row.sequence, row.event) for row in added] == list(enumerate(given[1:], start=2))
    assert [row.sequence for row in relay.of_execution(HERE, "x1")] == [1, 2, 3, 4, 5]


def test_events_that_arrive_late(behind: Store, proxy: LossyProxy) -> None:
    relay = EventsInMongo(behind)
    given = [new_event(version=version) for version in range(1, 6)]
    proxy.arm("insert", Fault.REQUEST_LATE)
    relay.append(given)
    relay.append([new_event("x1:b2")])
    proxy.deliver_late()
    assert [row.sequence for row in relay.of_execution(HERE, "x1")] == [1, 2, 3, 4, 5, 6]


def test_checkpoints(behind: Store, lose: Callable[[str], None]) -> None:
    checkpoints = CheckpointsInMongo(behind, VirtualClock(NOW))
    lose("update")
    checkpoints.add([new_checkpoint()])
    assert checkpoints.oldest(10) == [new_checkpoint()]
    lose("delete")
    checkpoints.remove([new_checkpoint()])
    assert checkpoints.oldest(10) == []


def test_template(behind: Store, lose: Callable[[str], None]) -> None:
    templates = TemplatesInMongo(behind)
    lose("insert")
    assert templates.insert(new_template())
    assert templates.get(HERE, "t1", "1.0.0") == new_template()


@pytest.mark.parametrize("command", ["insert", "update"])
def test_new_version_of_a_template(behind: Store, lose: Callable[[str], None], command: str) -> None:
    templates, second = TemplatesInMongo(behind), new_template(version="1.0.1", name="Order, again")
    templates.insert(new_template())
    lose(command)
    assert templates.add_version(second, "1.0.0")
    assert templates.get(HERE, "t1") == templates.get(HERE, "t1", "1.0.1") == second


def test_new_version_is_stored_before_it_is_the_latest(behind: Store, proxy: LossyProxy, store: Store) -> None:
    stored: list[str] = []
    TemplatesInMongo(behind).insert(new_template())
    versions = store.collection(VERSIONS)
    proxy.arm("update", Fault.REPLY_LOST, lambda: stored.extend(row["_id"] for row in versions.find()))
    assert TemplatesInMongo(behind).add_version(new_template(version="1.0.1"), "1.0.0")
    assert sorted(stored) == ["t1:1.0.0", "t1:1.0.1"]


@pytest.mark.parametrize("status", [TemplateStatus.ARCHIVED, TemplateStatus.DELETED, TemplateStatus.PUBLISHED])
def test_status_of_a_template(behind: Store, lose: Callable[[str], None], status: TemplateStatus) -> None:
    templates = TemplatesInMongo(behind)
    templates.insert(replace(new_template(), status=TemplateStatus.DRAFT))
    lose("update")
    assert templates.set_status(HERE, "t1", "1.0.0", status)
    found = templates.get(HERE, "t1")
    assert (found is None) if status is TemplateStatus.DELETED else (found is not None and found.status is status)


def test_deleted_template_that_comes_back(behind: Store, lose: Callable[[str], None]) -> None:
    templates, again = TemplatesInMongo(behind), new_template(version="2.0.0")
    templates.insert(new_template())
    templates.set_status(HERE, "t1", "1.0.0", TemplateStatus.DELETED)
    lose("update")
    assert templates.insert(again)
    assert templates.get(HERE, "t1") == again


@pytest.mark.parametrize("is_new", [True, False])
def test_take_a_permit(behind: Store, lose: Callable[[str], None], is_new: bool) -> None:
    permits = PermitsInMongo(behind)
    if not is_new:
        permits.queue("m", HOLDER, NOW)
    lose("insert" if is_new else "update")
    assert permits.take("m", HOLDER, 2, 1, NOW)
    assert permits.get("m") == Pool(name="m", holders={HOLDER: 2})
    assert not permits.take("m", OTHER, 1, 1, NOW)
    permits.give_back("m", HOLDER)
    assert permits.take("m", OTHER, 1, 1, NOW)


def test_confirm_a_permit(behind: Store, lose: Callable[[str], None]) -> None:
    permits = PermitsInMongo(behind)
    permits.take("m", HOLDER, 1, 1, NOW)
    lose("update")
    assert permits.take("m", HOLDER, 2, 1, NOW)
    assert permits.get("m") == Pool(name="m", holders={HOLDER: 2})


def test_give_a_permit_back(behind: Store, lose: Callable[[str], None]) -> None:
    permits = PermitsInMongo(behind)
    for who in (HOLDER, OTHER):
        permits.take("m", who, 1, 2, NOW)
    lose("update")
    assert permits.give_back("m", HOLDER, 1)
    assert permits.take("m", HOLDER, 2, 2, NOW)
    assert not permits.take("m", replace(OTHER, epoch=2), 1, 2, NOW)


def test_queue_for_a_permit(behind: Store, lose: Callable[[str], None]) -> None:
    permits = PermitsInMongo(behind)
    permits.take("m", HOLDER, 1, 1, NOW)
    lose("update")
    assert permits.queue("m", OTHER, NOW)
    assert permits.get("m") == Pool(name="m", holders={HOLDER: 1}, waiting=(OTHER,))
    assert permits.unqueue("m", OTHER)
