"""Each adapter of the ports, empty: in memory, and on the real server with a fresh database for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.contract.repositories.builders import NOW
from tests.support.services import running_mongodb
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.events import EventsInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.signals import SignalsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.repositories.mongo import (
    approvals,
    blocks,
    checkpoints,
    events,
    executions,
    permits,
    signals,
    standing_holds,
    templates,
    waits,
)
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes
from workflow_service.repositories.mongo.permits import PermitsInMongo
from workflow_service.repositories.mongo.signals import SignalsInMongo
from workflow_service.repositories.mongo.standing_holds import StandingHoldsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo
from workflow_service.services.ports import (
    ApprovalRepository,
    BlockRepository,
    CheckpointRepository,
    EventRepository,
    ExecutionRepository,
    PermitRepository,
    SignalRepository,
    StandingHoldRepository,
    TemplateRepository,
    WaitRepository,
)


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one server for all tests; gives its address without a database."""
    with running_mongodb(tmp_path_factory.mktemp("mongodb")) as server:
        yield f"mongodb://{urlsplit(server.url).netloc}"


@pytest.fixture
def mongodb_url(mongodb_server: str) -> str:
    """The address of a database that nobody has used."""
    return f"{mongodb_server}/test_{uuid4().hex}"


@pytest.fixture
def store(mongodb_url: str) -> Iterator[Store]:
    """An empty database without indexes."""
    connected = connect(mongodb_url, alias=uuid4().hex)
    yield connected
    connected.close()


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that only the test moves."""
    return VirtualClock(NOW)


@pytest.fixture(params=["memory", "mongo"])
def adapter(request: pytest.FixtureRequest) -> str:
    """Which adapter is under test."""
    return str(request.param)


Choose = Callable[..., Any]


@pytest.fixture
def choose(adapter: str, request: pytest.FixtureRequest) -> Choose:
    """Make the adapter under test: the one in memory, or the one on the store, with the indexes of its collection."""
    def make(in_memory: Callable[[], Any], in_mongo: Callable[[Store], Any], collection: str) -> Any:
        if adapter == "memory":
            return in_memory()
        connected: Store = request.getfixturevalue("store")
        create_indexes(connected, {collection: INDEXES.get(collection, ())})
        return in_mongo(connected)
    return make


@pytest.fixture
def execution_repository(choose: Choose) -> ExecutionRepository:
    """An empty repository of executions."""
    repository: ExecutionRepository = choose(ExecutionsInMemory, ExecutionsInMongo, executions.COLLECTION)
    return repository


@pytest.fixture
def block_repository(choose: Choose) -> BlockRepository:
    """An empty repository of block executions."""
    repository: BlockRepository = choose(BlocksInMemory, BlocksInMongo, blocks.COLLECTION)
    return repository


@pytest.fixture
def wait_repository(choose: Choose) -> WaitRepository:
    """An empty repository of waits."""
    repository: WaitRepository = choose(WaitsInMemory, WaitsInMongo, waits.COLLECTION)
    return repository


@pytest.fixture
def signal_repository(choose: Choose) -> SignalRepository:
    """An empty repository of signals."""
    repository: SignalRepository = choose(SignalsInMemory, SignalsInMongo, signals.COLLECTION)
    return repository


@pytest.fixture
def approval_repository(choose: Choose) -> ApprovalRepository:
    """An empty repository of approvals."""
    repository: ApprovalRepository = choose(ApprovalsInMemory, ApprovalsInMongo, approvals.COLLECTION)
    return repository


@pytest.fixture
def template_repository(choose: Choose) -> TemplateRepository:
    """An empty repository of templates."""
    repository: TemplateRepository = choose(TemplatesInMemory, TemplatesInMongo, templates.COLLECTION)
    return repository


@pytest.fixture
def event_repository(choose: Choose) -> EventRepository:
    """An empty history."""
    repository: EventRepository = choose(EventsInMemory, EventsInMongo, events.COLLECTION)
    return repository


@pytest.fixture
def checkpoint_repository(choose: Choose, clock: VirtualClock) -> CheckpointRepository:
    """No checkpoints; their age is told by the test's clock."""
    repository: CheckpointRepository = choose(
        lambda: CheckpointsInMemory(clock), lambda store: CheckpointsInMongo(store, clock), checkpoints.COLLECTION)
    return repository


@pytest.fixture
def hold_repository(choose: Choose) -> StandingHoldRepository:
    """No standing holds."""
    repository: StandingHoldRepository = choose(StandingHoldsInMemory, StandingHoldsInMongo, standing_holds.COLLECTION)
    return repository


@pytest.fixture
def permit_repository(choose: Choose) -> PermitRepository:
    """No permits are held."""
    repository: PermitRepository = choose(PermitsInMemory, PermitsInMongo, permits.COLLECTION)
    return repository
