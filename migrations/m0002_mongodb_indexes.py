"""Creates the indexes that only MongoDB itself can use: text search, and the blocks of an execution.

They stand apart because the embedded server refuses a text index, which must not keep the others from being there.
"""

from __future__ import annotations

from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import MONGODB_INDEXES, create_indexes


def run(store: Store) -> None:
    """Create those that are missing; nothing on the embedded server."""
    if not store.is_embedded:
        create_indexes(store, MONGODB_INDEXES)
