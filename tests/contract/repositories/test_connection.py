"""The connection: nothing happens before it is used, and every failure is told in time and in one way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.contract.repositories.builders import HERE, LEASE, NOW, new_block, new_checkpoint, new_event, new_template
from workflow_service.domain.blocks import claim
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.execution import Slot
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo

SECRET = "s3cret"
BLOCK = new_block()
CALLS: dict[str, Callable[[Store], object]] = {
    "ping": lambda store: store.ping(),
    "get": lambda store: BlocksInMongo(store).get(HERE, "x1:b1"),
    "get_all": lambda store: BlocksInMongo(store).get_all(HERE, "x1", ["b1"]),
    "insert": lambda store: BlocksInMongo(store).insert(BLOCK),
    "insert_all": lambda store: BlocksInMongo(store).insert_all([BLOCK]),
    "change": lambda store: BlocksInMongo(store).change(BLOCK, claim(BLOCK, "w", NOW, LEASE)),
    "rest": lambda store: BlocksInMongo(store).rest([BLOCK]),
    "due": lambda store: BlocksInMongo(store).due(NOW, 1),
    "outlines": lambda store: BlocksInMongo(store).outlines(HERE, "x1", ["b1"]),
    "extend_lease": lambda store: BlocksInMongo(store).extend_lease(BLOCK, NOW),
    "defer": lambda store: BlocksInMongo(store).defer(BLOCK, NOW, 1),
    "first_open": lambda store: BlocksInMongo(store).first_open(HERE, "x1", ["b1"]),
    "take_slot": lambda store: ExecutionsInMongo(store).take_slot(HERE, "x1", Slot(block_id="b1", fence=1), 1),
    "free_slots": lambda store: ExecutionsInMongo(store).free_slots(HERE, "x1", []),
    "executions": lambda store: ExecutionsInMongo(store).page(HERE, ExecutionFilter()),
    "open_of": lambda store: WaitsInMongo(store).open_of(HERE, "x1"),
    "of_execution": lambda store: ApprovalsInMongo(store).of_execution(HERE, "x1"),
    "template insert": lambda store: TemplatesInMongo(store).insert(new_template()),
    "template": lambda store: TemplatesInMongo(store).get(HERE, "t1"),
    "template version": lambda store: TemplatesInMongo(store).add_version(new_template(version="1.0.1"), "1.0.0"),
    "template versions": lambda store: TemplatesInMongo(store).versions(HERE, "t1"),
    "append": lambda store: EventsInMongo(store).append([new_event()]),
    "history": lambda store: EventsInMongo(store).of_execution(HERE, "x1"),
    "add": lambda store: CheckpointsInMongo(store, VirtualClock()).add([new_checkpoint()]),
    "oldest": lambda store: CheckpointsInMongo(store, VirtualClock()).oldest(1),
    "remove": lambda store: CheckpointsInMongo(store, VirtualClock()).remove([new_checkpoint()]),
    "lag": lambda store: CheckpointsInMongo(store, VirtualClock()).lag(NOW),
}


@pytest.fixture
def unreachable() -> Iterator[Store]:
    """A database at an address where nobody listens."""
    connected = connect(f"mongodb://user:{SECRET}@127.0.0.1:1/workflow", alias=uuid4().hex,
                        server_selection_timeout=timedelta(milliseconds=50))
    yield connected
    connected.close()


def test_every_call_says_in_time_that_the_store_is_away(unreachable: Store) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(len(CALLS)) as threads:
        calls = {name: threads.submit(call, unreachable) for name, call in CALLS.items()}
        failures = {name: call.exception(timeout=10) for name, call in calls.items()}
    assert time.monotonic() - started < 5
    assert {name for name, failure in failures.items() if not isinstance(failure, Unavailable)} == set()
    assert {str(failure) for failure in failures.values()} == {"MongoDB is not available at the moment."}


def test_address_that_cannot_be_read_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError) as raised:
        connect(f"mongodb://user:{SECRET}@[::1", alias=uuid4().hex)
    assert SECRET not in str(raised.value)


def test_database_is_the_one_that_the_address_names(store: Store, mongodb_url: str, mongodb_server: str) -> None:
    nameless = connect(mongodb_server, alias=uuid4().hex)
    assert store.database.name == mongodb_url.rpartition("/")[2]
    assert nameless.database.name == "workflow"
    nameless.close()


def test_retryable_writes_are_off_whatever_the_address_says(mongodb_url: str) -> None:
    insisting = connect(f"{mongodb_url}?retryWrites=true", alias=uuid4().hex)
    assert not insisting.database.client.options.retry_writes
    insisting.close()


def test_embedded_server_is_recognised(store: Store) -> None:
    assert store.is_embedded
    assert store.database.write_concern.document == {}
