"""Plays: what the engine calls executions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from sandbox.state_service import changes, documents
from sandbox.state_service.changes import Change, ChangeKind
from sandbox.state_service.errors import NotFound

UNKNOWN_STATUS = "unknown"
"""The status of a play of which only parts were reported so far."""
_UPSERT = """
INSERT INTO plays (workspace_id, play_id, template_id, template_version, status, created_by, started_at,
                   completed_at, input, context, generation)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace_id, play_id) DO UPDATE SET
    template_id = excluded.template_id, template_version = excluded.template_version,
    status = excluded.status, created_by = excluded.created_by,
    started_at = excluded.started_at, completed_at = excluded.completed_at,
    input = COALESCE(excluded.input, input), context = COALESCE(excluded.context, context),
    generation = excluded.generation
WHERE (template_id, template_version, status, created_by, started_at, completed_at, input, context,
       generation)
    IS NOT (excluded.template_id, excluded.template_version, excluded.status, excluded.created_by,
            excluded.started_at, excluded.completed_at, COALESCE(excluded.input, input),
            COALESCE(excluded.context, context), excluded.generation)
"""


@dataclass(frozen=True, kw_only=True)
class Play:
    """What the engine reports of a whole execution."""

    template_id: str
    template_version: str
    status: str
    created_by: str
    started_at: str
    completed_at: str | None
    input: dict[str, Any] | None
    """None keeps what is stored."""
    context: dict[str, Any] | None
    """None keeps what is stored."""
    generation: int
    """Grows with the play; a report with a smaller one comes too late."""


@dataclass(frozen=True, kw_only=True)
class PlayFilter:
    """Which plays to list."""

    status: str | None
    """None for any."""
    limit: int
    offset: int


def put(connection: Connection, workspace_id: str, play_id: str, play: Play) -> bool:
    """Create or update a play; False, and nothing changed, if a later generation was reported before."""
    stored = _find(connection, workspace_id, play_id)
    if stored is not None and stored["generation"] is not None and stored["generation"] > play.generation:
        return False
    written = connection.execute(_UPSERT, (
        workspace_id, play_id, play.template_id, play.template_version, play.status, play.created_by,
        play.started_at, play.completed_at, documents.dump_optional(play.input),
        documents.dump_optional(play.context), play.generation))
    if written.rowcount:
        changes.append(connection, [_changed(workspace_id, play_id)])
    return True


def ensure(connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
    """Create the plays that are not known yet, so that reports may come in any order.

    Args:
        connection: within a write transaction.
        keys: workspace id and play id of each.
    """
    insert = "INSERT OR IGNORE INTO plays (workspace_id, play_id, status) VALUES (?, ?, ?)"
    created = [key for key in keys if connection.execute(insert, (*key, UNKNOWN_STATUS)).rowcount]
    changes.append(connection, [_changed(*key) for key in created])


def get(connection: Connection, workspace_id: str, play_id: str) -> Row:
    """Return a play as it is stored.

    Raises:
        NotFound: there is none.
    """
    row = _find(connection, workspace_id, play_id)
    if row is None:
        raise NotFound("play", play_id)
    return row


def listing(connection: Connection, workspace_id: str, wanted: PlayFilter) -> dict[str, Any]:
    """Return one page of the plays of a workspace, newest first, and how many there are in all."""
    where = "workspace_id = ? AND (? IS NULL OR status = ?)"
    which = (workspace_id, wanted.status, wanted.status)
    (total,) = connection.execute(f"SELECT COUNT(*) FROM plays WHERE {where}", which).fetchone()
    rows = connection.execute(
        f"SELECT * FROM plays WHERE {where} ORDER BY started_at DESC, play_id DESC LIMIT ? OFFSET ?",
        (*which, wanted.limit, wanted.offset))
    return {"plays": [summary(row) for row in rows], "total": total}


def summary(row: Row) -> dict[str, Any]:
    """Return a play without its parts, in the shape of the contract."""
    return {
        "executionId": row["play_id"],
        "templateId": row["template_id"],
        "templateVersion": row["template_version"],
        "workspaceId": row["workspace_id"],
        "status": row["status"],
        "startedAt": row["started_at"],
        "completedAt": row["completed_at"],
        "createdBy": row["created_by"],
        "generation": row["generation"],
    }


def _find(connection: Connection, workspace_id: str, play_id: str) -> Row | None:
    row: Row | None = connection.execute("SELECT * FROM plays WHERE workspace_id = ? AND play_id = ?",
                                         (workspace_id, play_id)).fetchone()
    return row


def _changed(workspace_id: str, play_id: str) -> Change:
    return Change(workspace_id=workspace_id, play_id=play_id, kind=ChangeKind.PLAY)
