"""The SQLite database of the service: its tables, one connection a thread, one writer at a time.

Write-ahead logging with ``synchronous=NORMAL``: a commit is in the log file before it is answered, so it
outlives the process, however that ends. What can be lost, though never torn, are the last commits before a
power cut or a crash of the operating system. A reference service on a developer's machine may lose those, and
saves an fsync on every commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock, local

_BUSY_TIMEOUT = timedelta(seconds=5)
_TABLES = """
CREATE TABLE IF NOT EXISTS plays (
    workspace_id TEXT NOT NULL, play_id TEXT NOT NULL, template_id TEXT, template_version TEXT,
    status TEXT NOT NULL, created_by TEXT, started_at TEXT, completed_at TEXT, input TEXT, context TEXT,
    generation INTEGER,
    PRIMARY KEY (workspace_id, play_id));
CREATE INDEX IF NOT EXISTS plays_by_start ON plays (workspace_id, started_at, play_id);
CREATE TABLE IF NOT EXISTS blocks (
    workspace_id TEXT NOT NULL, play_id TEXT NOT NULL, block_id TEXT NOT NULL, epoch INTEGER, fence INTEGER,
    status TEXT, agent_id TEXT, input TEXT, output TEXT, error TEXT, retry_count INTEGER NOT NULL DEFAULT 0,
    started_at TEXT, completed_at TEXT, human_interactions TEXT NOT NULL DEFAULT '[]',
    progress TEXT, reported_status TEXT, reported_by TEXT, reported_at TEXT,
    PRIMARY KEY (workspace_id, play_id, block_id));
CREATE TABLE IF NOT EXISTS recovery_points (
    workspace_id TEXT NOT NULL, play_id TEXT NOT NULL, point_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    state TEXT NOT NULL, completed_blocks TEXT NOT NULL,
    PRIMARY KEY (workspace_id, play_id, point_id));
CREATE TABLE IF NOT EXISTS contexts (
    workspace_id TEXT PRIMARY KEY, context TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS changes (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id TEXT NOT NULL, play_id TEXT, block_id TEXT,
    kind TEXT NOT NULL, at TEXT NOT NULL, source TEXT NOT NULL);
"""


class Database:
    """Hands out transactions on one SQLite file."""

    def __init__(self, path: Path, on_commit: Callable[[], None]) -> None:
        """Open the file and make the tables that are missing.

        Args:
            path: the file; its directory must exist.
            on_commit: called after each write transaction that was committed.
        """
        self._path = path
        self._on_commit = on_commit
        self._writer = Lock()
        self._opening = Lock()
        self._opened: list[sqlite3.Connection] = []
        self._thread = local()
        self._connection().executescript(_TABLES)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one moment of the database, however many queries it runs."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection within a write transaction: committed at the end, undone by any exception."""
        connection = self._connection()
        # the lock queues the writers of this process, which SQLite itself would let poll with growing pauses
        with self._writer:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._on_commit()

    def close(self) -> None:
        """Close the connections of all threads; nothing may use the database any more."""
        with self._opening:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def _connection(self) -> sqlite3.Connection:
        existing: sqlite3.Connection | None = getattr(self._thread, "connection", None)
        if existing is None:
            existing = self._thread.connection = self._open()
        return existing

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT.total_seconds(), isolation_level=None,
                                     check_same_thread=False)  # only close() comes from another thread
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        with self._opening:
            self._opened.append(connection)
        return connection
