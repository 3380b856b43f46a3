"""All indexes, each created by itself: one that a server refuses must not keep the others from being there.

Each index costs every write of its collection 0.1 to 0.2 ms on the embedded server. So the documents of the hot path
have as few as possible there: ids carry the meaning, and ``dueAt`` is sparse, as only what must be looked at has it.
The others are those of the customer's schema design.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel

from workflow_service.repositories.mongo import (
    approvals,
    blocks,
    checkpoints,
    events,
    executions,
    signals,
    templates,
    waits,
)
from workflow_service.repositories.mongo.connection import Store, store_errors
from workflow_service.repositories.mongo.execution_queries import EQUALITIES, PARENT, RANGES


def _on(*names: str, direction: int = ASCENDING, unique: bool = False, sparse: bool = False) -> IndexModel:
    return IndexModel([(name, direction) for name in names], unique=unique, sparse=sparse)


def _listed(*names: str) -> IndexModel:
    """Return the index of a list with the latest first: what has to be equal, the order, what lies in a range."""
    return _latest_first((PARENT, *names), RANGES)


def _templates_listed(*names: str) -> IndexModel:
    """Return the index of a list of templates; which statuses are left out is a range."""
    return _latest_first(names, [name for name in ("status",) if name not in names])


def _latest_first(equal: Sequence[str], ranges: Sequence[str]) -> IndexModel:
    return IndexModel([("workspaceId", ASCENDING), *((name, ASCENDING) for name in equal), ("createdAt", DESCENDING),
                       ("_id", ASCENDING), *((name, ASCENDING) for name in ranges)])


_DUE = _on("dueAt", sparse=True)
INDEXES: Mapping[str, tuple[IndexModel, ...]] = {
    executions.COLLECTION: (
        _on("executionId", unique=True), _on("templateId"), _on("workspaceId"), _on("status"), _on("createdBy"),
        _on("startedAt", direction=DESCENDING), _on(PARENT, sparse=True), _DUE),
    blocks.COLLECTION: (_DUE,),
    waits.COLLECTION: (_on("executionId"), _DUE),
    signals.COLLECTION: (_on("executionId"), _DUE),
    approvals.COLLECTION: (
        _on("approvalId", unique=True), _on("executionId"), _on("ancestors", sparse=True), _on("blockId"),
        _on("assignedTo"), _on("status"), _on("requestedAt", direction=DESCENDING), _DUE),
    templates.COLLECTION: (
        _on("templateId", unique=True), _on("tags"), _on("metadata.category"),
        _on("createdAt", direction=DESCENDING)),
    templates.VERSIONS: (_on("templateId"),),
    events.COLLECTION: (_on("executionId", "sequence", unique=True),),
    checkpoints.COLLECTION: (_on("keptAt"),),
    # what GridFS would otherwise make at its first write
    "fs.files": (_on("filename", "uploadDate"),),
    "fs.chunks": (_on("files_id", "n", unique=True),),
}
"""By collection, for every server."""
MONGODB_INDEXES: Mapping[str, tuple[IndexModel, ...]] = {
    blocks.COLLECTION: (_on("executionId"),),
    executions.COLLECTION: (_listed(), *(_listed(name) for name in EQUALITIES)),
    templates.COLLECTION: (
        IndexModel([("name", TEXT), ("description", TEXT)]),
        _templates_listed(), *(_templates_listed(name) for name in ("status", "metadata.category", "tags"))),
}
"""By collection, for MongoDB itself: those that the embedded server has no use for, or none of."""


@store_errors()
def create_indexes(store: Store, indexes: Mapping[str, tuple[IndexModel, ...]]) -> None:
    """Create the indexes that are missing."""
    for name, models in indexes.items():
        for model in models:
            store.collection(name).create_indexes([model])
