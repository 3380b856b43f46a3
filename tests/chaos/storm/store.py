"""What a storm reads past the service: which executions there are, and who runs what at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pymongo.errors import PyMongoError

from tests.support.cluster import Cluster
from tests.support.records import Records
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.repositories.mongo.blocks import COLLECTION as BLOCKS
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.executions import COLLECTION as EXECUTIONS

_ENDED = [status.value for status in ExecutionStatus if status.is_terminal]
_TO_DO = [BlockStatus.READY.value, BlockStatus.RUNNING.value]
_PATIENCE = timedelta(seconds=8)


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """A block that was ready or running at a moment."""

    source: str
    """The id of the block execution."""
    execution_id: str
    version: int
    owner_pid: int | None
    """The process that ran it; None if it was ready."""


class Sight:
    """Looks into the database of a cluster; while it is away there is nothing to see (None)."""

    def __init__(self, store: Store, agents_url: str) -> None:
        """Look into a database."""
        self._store = store
        self.records = Records(store, agents_url)

    def all(self) -> Mapping[str, str] | None:
        """Return the status of every execution."""
        return self._executions({})

    def going(self) -> Mapping[str, str] | None:
        """Return the status of every execution that has not ended."""
        return self._executions({"status": {"$nin": _ENDED}})

    def at_work(self) -> tuple[datetime, Sequence[AtWork]]:
        """Return the blocks that are ready or running, and when it was."""
        try:
            rows = list(self._store.collection(BLOCKS).find(
                {"status": {"$in": _TO_DO}}, {"executionId": 1, "version": 1, "leaseOwner": 1, "status": 1}))
        except PyMongoError:
            rows = []
        return datetime.now(UTC), [
            AtWork(source=row["_id"], execution_id=row["executionId"], version=row["version"],
                   owner_pid=_pid(row.get("leaseOwner")) if row["status"] == BlockStatus.RUNNING.value else None)
            for row in rows]

    def _executions(self, wanted: Mapping[str, object]) -> Mapping[str, str] | None:
        try:
            rows = self._store.collection(EXECUTIONS).find(wanted, {"executionId": 1, "status": 1})
            return {row["executionId"]: row["status"] for row in rows}
        except PyMongoError:
            return None


def _pid(owner: str | None) -> int | None:
    """Return the process of an owner, ``host:pid:suffix``."""
    return int(owner.split(":")[-2]) if owner else None


@contextmanager
def sight_of(cluster: Cluster) -> Iterator[Sight]:
    """Connect to the database of a cluster."""
    store = connect(cluster.mongodb.url, alias=f"storm-{uuid4().hex}", server_selection_timeout=_PATIENCE,
                    socket_timeout=_PATIENCE)
    try:
        yield Sight(store, cluster.agents.url)
    finally:
        store.close()
