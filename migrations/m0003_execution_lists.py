"""Creates the indexes that lists of executions read: by status, template, tag, person, error code and attribute.

Only MongoDB itself has a use for them: the embedded server serves no sort from an index, and each one costs its writes.
"""

from __future__ import annotations

from workflow_service.repositories.mongo import executions
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import MONGODB_INDEXES, create_indexes


def run(store: Store) -> None:
    """Create those that are missing; nothing on the embedded server."""
    if not store.is_embedded:
        create_indexes(store, {executions.COLLECTION: MONGODB_INDEXES[executions.COLLECTION]})
