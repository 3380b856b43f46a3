"""What is stored of executions and what the agents did, read past the service, for the invariants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from tests.support.cluster import Cluster
from tests.support.driver import effects_of, eventually
from workflow_service.domain.execution import Execution
from workflow_service.domain.invariants import Effect, Record, retired_names
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.wait import Wait
from workflow_service.repositories.mongo import events, waits
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.events import EventsInMongo
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.signals import SignalsInMongo
from workflow_service.repositories.mongo.templates import TemplatesInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo
from workflow_service.services.plans import Plans

WORKSPACE = "default"


class Records:
    """Reads executions of the workspace ``default``."""

    def __init__(self, store: Store, agents_url: str) -> None:
        """Read from a database, and from the Agent Service what was really done."""
        self._store = store
        self._agents_url = agents_url
        self._plans = Plans(TemplatesInMongo(store), RetryPolicy())

    def of(self, execution_id: str) -> Record:
        """Return what is stored of an execution now."""
        execution = ExecutionsInMongo(self._store).get(WORKSPACE, execution_id)
        assert execution is not None
        plan = self._plans.of(execution)
        repository = BlocksInMongo(self._store)
        blocks = repository.get_all(WORKSPACE, execution_id, tuple(plan.nodes))
        waits = self._waits(execution_id)
        approvals = ApprovalsInMongo(self._store).of_execution(WORKSPACE, execution_id)
        signals = SignalsInMongo(self._store).of_execution(WORKSPACE, execution_id)
        # after the documents: what has left their outboxes is there
        history = EventsInMongo(self._store).of_execution(WORKSPACE, execution_id)
        return Record(
            plan=plan, execution=execution, blocks=blocks, waits=waits, approvals=approvals, signals=signals,
            history=history,
            retired=repository.get_all(WORKSPACE, execution_id, retired_names(plan, history)),
            effects=self._effects(execution_id))

    def ended(self, execution_id: str, within: timedelta) -> Execution:
        """Return an execution once it has ended; unlike asking the API again and again this costs next to nothing."""
        def look() -> Execution | None:
            execution = ExecutionsInMongo(self._store).get(WORKSPACE, execution_id)
            return execution if execution is not None and execution.status.is_terminal else None
        return eventually(look, within)

    def told(self, execution_id: str, within: timedelta) -> Record:
        """Return what is stored of an execution as soon as all its events are in the history."""
        def look() -> Record | None:
            record = self.of(execution_id)
            return None if any(document.outbox for document in record.documents.values()) else record
        return eventually(look, within)

    def stored_events(self, execution_id: str) -> int:
        """Return how many events there are, whatever their numbers."""
        return self._store.collection(events.COLLECTION).count_documents({"executionId": execution_id})

    def _waits(self, execution_id: str) -> Sequence[Wait]:
        repository = WaitsInMongo(self._store)
        rows = self._store.collection(waits.COLLECTION).find({"executionId": execution_id}, {"_id": 1})
        found = [repository.get(WORKSPACE, row["_id"]) for row in rows]
        return [wait for wait in found if wait is not None]

    def _effects(self, execution_id: str) -> Sequence[Effect]:
        return [Effect(key=effect["key"], started=datetime.fromisoformat(effect["startedAt"]),
                       ended=datetime.fromisoformat(effect["endedAt"]) if effect["endedAt"] else None)
                for effect in effects_of(self._agents_url, execution_id)]


@contextmanager
def reading_records(cluster: Cluster) -> Iterator[Records]:
    """Connect to the database of a cluster."""
    store = connect(cluster.mongodb.url, alias=f"records-{uuid4().hex}")
    try:
        yield Records(store, cluster.agents.url)
    finally:
        store.close()
