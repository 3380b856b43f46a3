"""Runs the migrations that have not been run on a database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from migrations import (
    m0001_indexes,
    m0002_mongodb_indexes,
    m0003_execution_lists,
    m0004_template_lists,
    m0005_children,
    m0006_signals,
)
from workflow_service.domain.errors import Unavailable
from workflow_service.repositories.mongo.connection import Store, store_errors

MIGRATIONS: Mapping[str, Callable[[Store], None]] = {
    "m0001_indexes": m0001_indexes.run,
    "m0002_mongodb_indexes": m0002_mongodb_indexes.run,
    "m0003_execution_lists": m0003_execution_lists.run,
    "m0004_template_lists": m0004_template_lists.run,
    "m0005_children": m0005_children.run,
    "m0006_signals": m0006_signals.run,
}
"""By name, in the order in which they run."""
COLLECTION = "migrations"
_POLL = timedelta(milliseconds=200)


def wait_for(store: Store, patience: timedelta) -> None:
    """Return when the database answers.

    Raises:
        Unavailable: it did not within that time.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return store.ping()
        except Unavailable:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL.total_seconds())


def run_missing(store: Store) -> Iterator[str]:
    """Run what was not run, and say of each migration, once it is done with, what became of it."""
    for name, run in MIGRATIONS.items():
        if _was_run(store, name):
            yield f"{name}: was run before"
            continue
        started = time.monotonic()
        run(store)
        _remember(store, name)
        yield f"{name}: done in {time.monotonic() - started:.2f} s"


@store_errors()
def _was_run(store: Store, name: str) -> bool:
    return store.collection(COLLECTION).find_one({"_id": name}, {"_id": 1}) is not None


@store_errors()
def _remember(store: Store, name: str) -> None:
    try:
        store.collection(COLLECTION).insert_one({"_id": name, "appliedAt": datetime.now(UTC)})
    except DuplicateKeyError:
        pass  # another process ran it at the same moment
