"""Documents that older versions wrote: this version reads all of them, and brings what was under way to its end.

``documents/v0.1.0`` holds one execution for each stage that one can be found in after all processes died, under an id
that names the stage. A set is never changed; a version that changes the shape of documents gets one of its own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bson import json_util
from bson.json_util import CANONICAL_JSON_OPTIONS

from sandbox.servers.process import RunningServer
from tests.support.builders import an_agent
from tests.support.hand_engine import HandEngine, Repositories, in_mongo
from tests.support.services import running_mongodb
from workflow_service.domain.invariants import Effect, violations
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes

SET = Path(__file__).parent / "documents" / "v0.1.0"
AFTER = datetime(2026, 1, 15, 9, 2, tzinfo=UTC)
"""After the last of the documents was written."""
HERE = "acme"
ENDS: Mapping[str, ExecutionStatus] = {
    "rejected": ExecutionStatus.FAILED, "failed": ExecutionStatus.FAILED, "cancelled": ExecutionStatus.CANCELLED,
    "cancelling": ExecutionStatus.CANCELLED, "cancelling-begun": ExecutionStatus.CANCELLED}
"""How executions end that do not complete."""

Raw = dict[str, Any]


def documents_of(collection: str) -> list[Raw]:
    """Return the documents of a collection as the older version stored them."""
    text = (SET / f"{collection}.json").read_text(encoding="utf-8")
    found: list[Raw] = json_util.loads(text, json_options=CANONICAL_JSON_OPTIONS)
    return found


COLLECTIONS = sorted({path.stem for path in SET.glob("*.json")} - {"effects"})
EXECUTIONS = sorted(raw["_id"] for raw in documents_of("executions"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Run one server for all tests."""
    with running_mongodb(tmp_path_factory.mktemp("mongodb")) as running:
        yield running


@pytest.fixture
def connected(server: RunningServer) -> Iterator[Callable[[], Store]]:
    """Connects to empty databases."""
    stores: list[Store] = []

    def make() -> Store:
        stores.append(connect(f"{server.url.rpartition('/')[0]}/test_{uuid4().hex}", alias=uuid4().hex))
        create_indexes(stores[-1], INDEXES)
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def old(connected: Callable[[], Store]) -> Store:
    """A database with all old documents."""
    store = connected()
    for collection in COLLECTIONS:
        store.collection(collection).insert_many(documents_of(collection))
    return store


@pytest.fixture
def new(connected: Callable[[], Store]) -> Store:
    """An empty database."""
    return connected()


def copied(collection: str, source: Repositories, target: Repositories) -> None:
    """Read all documents of a collection and store them anew, by the ports alone."""
    pairs = {name: (getattr(source.stores, port), getattr(target.stores, port)) for name, port in {
        "executions": "executions", "block_executions": "blocks", "waits": "waits", "approvals": "approvals"}.items()}
    for raw in documents_of(collection):
        if collection in pairs:
            reader, writer = pairs[collection]
            assert writer.insert(reader.get(HERE, raw["_id"]))
        elif collection == "events":
            target.events.append([one.event for one in source.events.of_execution(HERE, raw["executionId"])])
        elif collection != "outbox":
            template = source.templates.get(HERE, raw["templateId"], raw["version"])
            assert template is not None
            target.templates.insert(template)
    if collection == "outbox":
        target.checkpoints.add(source.checkpoints.oldest(100))


def comparable(raw: Raw) -> Raw:
    """Return a document without what belongs to one write alone."""
    return {name: content for name, content in raw.items() if name not in ("writer", "keptAt")}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_nothing_of_a_document_is_lost_on_the_way_through_the_domain(old: Store, new: Store, collection: str) -> None:
    clock = VirtualClock(AFTER)
    copied(collection, in_mongo(old, clock), in_mongo(new, clock))
    written = {raw["_id"]: comparable(raw) for raw in new.collection(collection).find()}
    expected = {raw["_id"]: comparable(raw) for raw in old.collection(collection).find()}
    assert written.keys() == expected.keys()
    for identifier, raw in expected.items():
        assert {name: written[identifier].get(name) for name in raw} == raw


def test_the_set_has_every_stage() -> None:
    assert {raw["status"] for raw in documents_of("executions")} >= {
        "pending", "running", "waiting", "pausing", "paused", "cancelling", "completed", "failed", "cancelled"}
    assert {raw["status"] for raw in documents_of("block_executions")} == {
        "pending", "ready", "running", "retry_wait", "awaiting_approval", "awaiting_agent", "completed", "failed",
        "rejected", "skipped", "cancelled"}
    assert {raw["status"] for raw in documents_of("waits")} == {"open", "fired", "cancelled"}
    assert {raw["status"] for raw in documents_of("approvals")} == {"pending", "approved", "rejected", "cancelled"}
    assert all(raw["schemaVersion"] == 1 for name in COLLECTIONS for raw in documents_of(name))


@pytest.fixture
def engine(old: Store) -> HandEngine:
    """This version on the old documents, with an agent that gives back what it is given."""
    clock = VirtualClock(AFTER)
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(), work=lambda given: given)])
    return HandEngine(in_mongo(old, clock), agents, clock, User(name="ada", role="admin", workspace_id=HERE))


def old_effects() -> Mapping[str, Sequence[Effect]]:
    """Return the work that agents completed for the older version, by execution."""
    found: defaultdict[str, list[Effect]] = defaultdict(list)
    for effect in json.loads((SET / "effects.json").read_text(encoding="utf-8")):
        started, ended = (datetime.fromisoformat(effect[name]) for name in ("startedAt", "endedAt"))
        found[effect["key"].partition(":")[0]].append(Effect(key=effect["key"], started=started, ended=ended))
    return found


def test_what_was_under_way_comes_to_its_end(engine: HandEngine) -> None:
    engine.resume_all(EXECUTIONS)
    engine.bring_to_rest(lambda: all(status.is_terminal for status in engine.statuses(EXECUTIONS).values()))
    assert engine.statuses(EXECUTIONS) == {name: ENDS.get(name, ExecutionStatus.COMPLETED) for name in EXECUTIONS}
    effects = old_effects()
    wrong = {name: violations(engine.record(name, effects.get(name, ()))) for name in EXECUTIONS}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_without_anybody_only_what_is_paused_or_asks_a_person_stays(engine: HandEngine) -> None:
    parked = {"awaiting-approval", "escalated", "paused-ready", "paused-retry", "paused-waiting", "pausing",
              "restart-parked", "unparked"}
    others = [name for name in EXECUTIONS if name not in parked]
    engine.bring_to_rest(lambda: all(status.is_terminal for status in engine.statuses(others).values()), answers=False)
    assert {status.value for status in engine.statuses(sorted(parked)).values()} == {"waiting", "paused"}
    assert [violations(engine.record(name)) for name in sorted(parked)] == [()] * len(parked)
