"""The connection to MongoDB, what kind of server it is, and the one translation of its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any

import mongoengine
from mongoengine.connection import get_db
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from workflow_service.domain.errors import Unavailable

Raw = dict[str, Any]
"""A document as MongoDB has it."""
ALIAS = "workflow"
"""The name under which mongoengine knows the connection unless another is given."""
DEFAULT_DATABASE = "workflow"
"""The database if the address names none."""
_DURABLE = WriteConcern(w="majority", j=True)


class Store:
    """A database together with what has to be known of its server. Nothing is asked of the server before it is used."""

    def __init__(self, database: Database[Raw], alias: str = ALIAS) -> None:
        """Take the database.

        Args:
            database: a handle whose client gives aware instants.
            alias: the connection's name in mongoengine.
        """
        self._plain = database
        self._durable = database.with_options(write_concern=_DURABLE)
        self._alias = alias
        self._is_embedded: bool | None = None

    @property
    def is_embedded(self) -> bool:
        """True for the embedded server, which has no text search and serves no sort from an index."""
        # no cached_property: its lock would make all threads wait, one after the other, for a server that is away
        if self._is_embedded is None:
            self._is_embedded = "secantusVersion" in self._plain.client.admin.command("buildInfo")
        return self._is_embedded

    @property
    def database(self) -> Database[Raw]:
        """The database, with writes that are acknowledged when they are safe.

        On MongoDB that is when a majority has them in its journal. The embedded server syncs each commit by itself, so
        asking for it only costs time there.
        """
        return self._plain if self.is_embedded else self._durable

    def collection(self, name: str) -> Collection[Raw]:
        """Return a collection."""
        return self.database[name]

    def ping(self) -> None:
        """Ask the server for a sign of life. Raises errors.Unavailable."""
        with store_errors():
            self._plain.client.admin.command("ping")

    def close(self) -> None:
        """Close all connections."""
        mongoengine.disconnect(self._alias)


def connect(url: str, *, max_pool_size: int = 50, server_selection_timeout: timedelta = timedelta(seconds=5),
            socket_timeout: timedelta = timedelta(seconds=10), alias: str = ALIAS) -> Store:
    """Prepare the connection; it is made when it is first used, so the server may come later.

    Args:
        url: the address, with the name of the database.
        max_pool_size: connections of this process at most.
        server_selection_timeout: how long to look for a server that can take the request.
        socket_timeout: how long to wait for a connection, and for the reply to one request.
        alias: the connection's name in mongoengine; one process may have several.

    Raises:
        ValueError: the address can't be read.
    """
    patience = _milliseconds(socket_timeout)
    try:
        mongoengine.connect(
            DEFAULT_DATABASE, alias=alias, host=url, mongo_client_class=MongoClient, maxPoolSize=max_pool_size,
            serverSelectionTimeoutMS=_milliseconds(server_selection_timeout), connectTimeoutMS=patience,
            socketTimeoutMS=patience, waitQueueTimeoutMS=patience, retryWrites=False, tz_aware=True, tzinfo=UTC,
            uuidRepresentation="standard")
    except (InvalidURI, ConfigurationError) as error:
        raise ValueError("The address of MongoDB can't be read.") from error
    return Store(get_db(alias), alias)


@contextmanager
def store_errors() -> Iterator[None]:
    """Translate what the driver raises into errors.Unavailable; also a decorator.

    Duplicate keys are answers, not failures: whoever can meet one handles it before it gets here.
    """
    try:
        yield
    except PyMongoError as error:
        raise Unavailable("MongoDB") from error


def _milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
