"""Creates the indexes that lists of templates read: all of a workspace, by status, category and tag.

Only MongoDB itself has a use for them, and templates are written so rarely that their cost is not felt there.
"""

from __future__ import annotations

from workflow_service.repositories.mongo import templates
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import MONGODB_INDEXES, create_indexes


def run(store: Store) -> None:
    """Create those that are missing; nothing on the embedded server."""
    if not store.is_embedded:
        create_indexes(store, {templates.COLLECTION: MONGODB_INDEXES[templates.COLLECTION]})
