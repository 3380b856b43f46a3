"""Creates the indexes of signals, for databases that are older than they are."""

from __future__ import annotations

from workflow_service.repositories.mongo import signals
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes


def run(store: Store) -> None:
    """Create those that are missing."""
    create_indexes(store, {signals.COLLECTION: INDEXES[signals.COLLECTION]})
