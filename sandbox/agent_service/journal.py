"""The journal: what was asked under each key, what became of it, and how often work was really done.

One table holds one row for each run of an agent's work. Rows are never deleted, so it is the log of effects as well
as the memory of keys. A row takes its key as long as it is not ``failed``: a unique index lets only one such row exist
for a key of an agent, which is what makes two simultaneous requests do the work once. A key that was cancelled before
any work began (a tombstone) has a row without ``started_at``.

One connection under a lock serves all threads: every transaction is a single statement. The write-ahead log is not
flushed to disk at each commit: a killed process loses nothing, a power failure may lose the last moments.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sandbox.agent_service.execution_request import ExecutionRequest

RESTARTED = {"code": "agent_restarted", "class": "transient",
             "message": "The Agent Service was restarted while the agent was at work."}
"""The error of a run that was under way when the service ended."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY,
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    execution_id TEXT,
    block_id TEXT,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    started_at TEXT,
    ended_at TEXT,
    output TEXT,
    usage TEXT,
    error TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS runs_taken ON runs (agent_id, key) WHERE status <> 'failed';
CREATE INDEX IF NOT EXISTS runs_by_key ON runs (agent_id, key);
CREATE INDEX IF NOT EXISTS runs_by_execution ON runs (execution_id);
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of an agent's work, or a tombstone."""

    run: int
    """Its number, which grows."""
    agent_id: str
    key: str
    execution_id: str | None
    block_id: str | None
    fingerprint: str
    """Of the request; empty for a tombstone."""
    status: str
    """``running``, ``completed``, ``failed`` or ``cancelled``."""
    started_at: str | None
    """RFC 3339; None for a tombstone."""
    ended_at: str | None
    output: Any
    usage: Any
    error: Any


class Journal:
    """The durable table of runs."""

    def __init__(self, path: Path) -> None:
        """Open the journal, and fail what was running when the service last ended.

        Args:
            path: of the SQLite file; no other process may be using it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._write("UPDATE runs SET status = 'failed', ended_at = ?, error = ? WHERE status = 'running'",
                    (_now(), json.dumps(RESTARTED)))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def claim(self, agent_id: str, request: ExecutionRequest) -> int | None:
        """Take the key of a request for a new run.

        Returns:
            The run's number, or None if the key is taken.
        """
        return self._write(
            "INSERT INTO runs (agent_id, key, execution_id, block_id, fingerprint, status, started_at)"
            " VALUES (?, ?, ?, ?, ?, 'running', ?) ON CONFLICT DO NOTHING RETURNING run",
            (agent_id, request.key, request.execution_id, request.block_id, request.fingerprint(), _now()))

    def bury(self, agent_id: str, key: str) -> bool:
        """Leave a tombstone, so that no work can begin under the key; False if the key is taken."""
        return self._write(
            "INSERT INTO runs (agent_id, key, fingerprint, status, ended_at) VALUES (?, ?, '', 'cancelled', ?)"
            " ON CONFLICT DO NOTHING RETURNING run", (agent_id, key, _now())) is not None

    def complete(self, run: int, output: Mapping[str, Any], usage: Mapping[str, Any]) -> bool:
        """Record the answer of a run; False if it is no longer running."""
        return self._end(run, "completed", output=output, usage=usage)

    def fail(self, run: int, error: Mapping[str, Any]) -> bool:
        """Record the failure of a run, which frees its key; False if it is no longer running."""
        return self._end(run, "failed", error=error)

    def cancel(self, run: int) -> bool:
        """Record that a run was stopped; False if it is no longer running."""
        return self._end(run, "cancelled")

    def holder(self, agent_id: str, key: str) -> Run | None:
        """Return the row that holds a key, or None if the key is free."""
        return self._one("SELECT * FROM runs WHERE agent_id = ? AND key = ? AND status <> 'failed'", (agent_id, key))

    def latest(self, agent_id: str, key: str) -> Run | None:
        """Return the last run under a key, its tombstone if there was no run, or None."""
        return self._one("SELECT * FROM runs WHERE agent_id = ? AND key = ?"
                         " ORDER BY started_at IS NULL, run DESC LIMIT 1", (agent_id, key))

    def failures(self, agent_id: str, key: str) -> int:
        """Count the runs under a key that failed by themselves, not by a restart of the service."""
        rows = self._rows("SELECT count(*) FROM runs WHERE agent_id = ? AND key = ? AND status = 'failed'"
                          " AND error ->> 'code' <> ?", (agent_id, key, RESTARTED["code"]))
        return int(rows[0][0])

    def runs(self, execution_id: str | None) -> list[Run]:
        """Return all runs in the order in which they began, of one execution or (None) of all."""
        if execution_id is None:
            rows = self._rows("SELECT * FROM runs WHERE started_at IS NOT NULL ORDER BY run", ())
        else:
            rows = self._rows("SELECT * FROM runs WHERE execution_id = ? ORDER BY run", (execution_id,))
        return [_run(row) for row in rows]

    def _end(self, run: int, status: str, *, output: Any = None, usage: Any = None, error: Any = None) -> bool:
        return self._write(
            "UPDATE runs SET status = ?, ended_at = ?, output = ?, usage = ?, error = ?"
            " WHERE run = ? AND status = 'running' RETURNING run",
            (status, _now(), _dump(output), _dump(usage), _dump(error), run)) is not None

    def _write(self, statement: str, values: Sequence[Any]) -> int | None:
        rows = self._rows(statement, values)
        return int(rows[0][0]) if rows else None

    def _one(self, statement: str, values: Sequence[Any]) -> Run | None:
        rows = self._rows(statement, values)
        return _run(rows[0]) if rows else None

    def _rows(self, statement: str, values: Sequence[Any]) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def _run(row: sqlite3.Row) -> Run:
    columns = {name: row[name] for name in row.keys()}
    for name in ("output", "usage", "error"):
        columns[name] = None if columns[name] is None else json.loads(columns[name])
    return Run(**columns)


def _dump(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
