"""Writes whose reply may be lost: nobody knows then whether they took place.

A write that may be repeated is repeated once. Any other carries a token of its own, ``writer``, by which it is
recognised when the document is read back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from pymongo.collection import Collection
from pymongo.errors import AutoReconnect, DuplicateKeyError, ServerSelectionTimeoutError

from workflow_service.repositories.mongo.connection import Raw

DUPLICATE_KEY = 11000
"""The server's code for a value that a unique index has already."""

R = TypeVar("R")


def new_token() -> str:
    """Return a token for one write."""
    return os.urandom(8).hex()


def repeated(write: Callable[[], R]) -> R:
    """Do a write that may be done twice, and do it again if its reply was lost."""
    try:
        return write()
    except ServerSelectionTimeoutError:
        raise  # no server was found, so nothing was sent, and looking again would take as long again
    except AutoReconnect:
        return write()


def insert_once(collection: Collection[Raw], raw: Raw) -> bool:
    """Insert a document; False if its id, or another unique value of it, is taken."""
    attempts = 0

    def insert() -> bool:
        nonlocal attempts
        attempts += 1
        try:
            collection.insert_one(raw)
            return True
        except DuplicateKeyError:
            # only after a lost reply can the document that is there be ours
            return attempts > 1 and _writer(collection, raw["_id"]) == raw["writer"]

    return repeated(insert)


def update_once(collection: Collection[Raw], query: Raw, update: Raw) -> bool:
    """Do an update that grows ``version``, if the query, which names the present one, still matches.

    Returns:
        True if it took place, also if only reading it back showed that.
    """
    token = update["$set"]["writer"]
    return update_confirmed(collection, query, update, lambda: _writer(collection, query["_id"]) == token)


def update_confirmed(collection: Collection[Raw], query: Raw, update: Raw, took_place: Callable[[], bool]) -> bool:
    """Do an update whose query does not match any more once it took place.

    Args:
        took_place: looks at the document and says so; asked only after a reply was lost.
    """
    return _confirmed(lambda: collection.update_one(query, update).modified_count == 1, took_place)


def replace_once(collection: Collection[Raw], query: Raw, raw: Raw) -> bool:
    """Replace a document, whose query names its ``_id``, if the query still matches; once replaced it must not.

    Returns:
        True if it took place, also if only reading it back showed that.
    """
    return _confirmed(lambda: collection.replace_one(query, raw).modified_count == 1,
                      lambda: _writer(collection, query["_id"]) == raw["writer"])


def _confirmed(write: Callable[[], bool], took_place: Callable[[], bool]) -> bool:
    try:
        return write()
    except ServerSelectionTimeoutError:
        raise
    except AutoReconnect:
        # the first may have taken place, may be lost, or may still be on its way: only one of the two can match
        return write() or took_place()


def _writer(collection: Collection[Raw], identifier: str) -> str | None:
    stored = collection.find_one({"_id": identifier}, {"writer": 1}) or {}
    return stored.get("writer")
