"""Creates the indexes by which the executions and approvals that are a part of another execution are found.

Lists of executions leave them out, so their indexes on MongoDB begin with the workspace and the parent now.
"""

from __future__ import annotations

from workflow_service.repositories.mongo import approvals, executions
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import INDEXES, MONGODB_INDEXES, create_indexes


def run(store: Store) -> None:
    """Create those that are missing."""
    create_indexes(store, {name: INDEXES[name] for name in (executions.COLLECTION, approvals.COLLECTION)})
    if not store.is_embedded:
        create_indexes(store, {executions.COLLECTION: MONGODB_INDEXES[executions.COLLECTION]})
