"""SecantusDB that remembers its index catalogue; a program with the server's own arguments.

The server reads and decodes the list of a collection's indexes several times for each command. Measured, that was more
than half of an update where a collection has nine indexes, and 40 % of all of the server's time while many small
executions run. Here the list is read once and used until it changes.

A change may still be on its way when it is noticed, and others may read from before it for a moment. So after a change
all lists are read as they were before, each time anew, for longer than that can last; within a transaction of a client
they always are. Nothing but these lists is remembered.

The version of the server is pinned, so what is replaced here is what was read; a test compares the answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from secantus.cli import main
from secantus.storage import Storage

SETTLED_AFTER_S = 1.0
"""Seconds from a change until lists are remembered again: much longer than a write of the server takes."""
_CHANGES = ("create_index", "drop_index", "drop_all_indexes", "drop_collection", "drop_database", "rename_collection",
            "set_index_expiry", "set_index_options")
"""What changes lists."""
_Index = tuple[str, dict[str, Any], dict[str, Any]]
"""Name, key and options."""


class Catalogue:
    """The indexes of each collection of one server."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._monotonic = monotonic
        self._read: dict[tuple[str, str], tuple[_Index, ...]] = {}
        self._changed_s = monotonic()

    def indexes(self, db: str, collection: str, read: Callable[[], Iterable[_Index]]) -> Iterable[_Index]:
        """Return the indexes of a collection.

        Args:
            read: reads them from the disk.
        """
        remembered = self._read
        found = remembered.get((db, collection))
        if found is None:
            found = tuple(read())
            if self._monotonic() - self._changed_s > SETTLED_AFTER_S:
                remembered[db, collection] = found  # nobody asks there any more if a change came meanwhile
        return found

    def change(self) -> None:
        """Forget all: a list changes, or has changed."""
        self._changed_s = self._monotonic()
        self._read = {}


def remember_indexes() -> None:
    """Let the storage of this process read lists of indexes from memory."""
    catalogue = Catalogue()
    read: Callable[[Any, str, str], Iterable[_Index]] = Storage._iter_indexes
    mark: Callable[..., set[str]] = Storage._maybe_mark_multikey

    def indexes(self: Any, db: str, collection: str) -> Iterable[_Index]:
        if getattr(self._tls, "user_txn", None) is not None:
            return read(self, db, collection)
        return catalogue.indexes(db, collection, lambda: read(self, db, collection))

    def marked(self: Any, db: str, collection: str, doc: Any, listed: Any, known: set[str]) -> set[str]:
        before = len(known)
        after = mark(self, db, collection, doc, listed, known)
        if len(after) > before:
            catalogue.change()
        return after

    Storage._iter_indexes, Storage._maybe_mark_multikey = indexes, marked
    for name in _CHANGES:
        setattr(Storage, name, _changing(getattr(Storage, name), catalogue))


def _changing(method: Callable[..., Any], catalogue: Catalogue) -> Callable[..., Any]:
    @wraps(method)
    def changed(*args: Any, **kwargs: Any) -> Any:
        catalogue.change()
        try:
            return method(*args, **kwargs)
        finally:
            catalogue.change()

    return changed


if __name__ == "__main__":
    remember_indexes()
    sys.exit(main())
