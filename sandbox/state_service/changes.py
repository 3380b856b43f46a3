"""The log of changes: what was changed, in the order in which it was committed.

``AUTOINCREMENT`` counts within the transaction and there is one writer at a time, so cursors have no gaps and
a reader never sees a cursor before a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Any

from sandbox.state_service import instants

ENGINE = "engine"
"""The source of whatever the engine writes."""


class ChangeKind(StrEnum):
    """What was changed."""

    PLAY = "play"
    BLOCK = "block"
    PROGRESS = "progress"
    RECOVERY_POINT = "recovery_point"
    CONTEXT = "context"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that was changed."""

    workspace_id: str
    play_id: str | None
    """None for the context of a workspace."""
    kind: ChangeKind
    block_id: str | None = None
    """None unless it is about one block."""
    source: str = ENGINE
    """Who changed it."""


@dataclass(frozen=True, kw_only=True)
class ChangePage:
    """The changes after a cursor."""

    changes: list[dict[str, Any]]
    """In the shape of the contract."""
    next_cursor: int
    """The cursor to read on from."""


def append(connection: Connection, changes: Iterable[Change]) -> None:
    """Log the changes, within the transaction that makes them."""
    at = instants.now()
    rows = [(change.workspace_id, change.play_id, change.block_id, change.kind.value, at, change.source)
            for change in changes]
    connection.executemany("INSERT INTO changes (workspace_id, play_id, block_id, kind, at, source)"
                           " VALUES (?, ?, ?, ?, ?, ?)", rows)


def read(connection: Connection, after: int, limit: int) -> ChangePage:
    """Return the changes after a cursor, oldest first.

    A cursor beyond the end, as after a loss of the database, gives the end to read on from.
    """
    rows = connection.execute("SELECT * FROM changes WHERE cursor > ? ORDER BY cursor LIMIT ?",
                              (after, limit)).fetchall()
    if rows:
        return ChangePage(changes=[_view(row) for row in rows], next_cursor=rows[-1]["cursor"])
    (last,) = connection.execute("SELECT COALESCE(MAX(cursor), 0) FROM changes").fetchone()
    return ChangePage(changes=[], next_cursor=min(after, last))


def _view(row: Row) -> dict[str, Any]:
    return {"cursor": row["cursor"], "workspaceId": row["workspace_id"], "executionId": row["play_id"],
            "blockId": row["block_id"], "kind": row["kind"], "at": row["at"], "source": row["source"]}
