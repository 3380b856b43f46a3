"""Recovery points: from which a play may start again."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from sandbox.state_service import changes, documents, plays
from sandbox.state_service.changes import Change, ChangeKind

_UPSERT = """
INSERT INTO recovery_points (workspace_id, play_id, point_id, timestamp, state, completed_blocks)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace_id, play_id, point_id) DO UPDATE SET
    timestamp = excluded.timestamp, state = excluded.state, completed_blocks = excluded.completed_blocks
WHERE (timestamp, state, completed_blocks)
    IS NOT (excluded.timestamp, excluded.state, excluded.completed_blocks)
"""


@dataclass(frozen=True, kw_only=True)
class RecoveryPoint:
    """What the engine keeps of a play at one moment."""

    timestamp: str
    state: dict[str, Any]
    completed_blocks: list[str]


def put(connection: Connection, workspace_id: str, play_id: str, point_id: str, point: RecoveryPoint) -> None:
    """Store a recovery point; one with the same id and content changes nothing."""
    plays.ensure(connection, [(workspace_id, play_id)])
    row = (workspace_id, play_id, point_id, point.timestamp, documents.dump(point.state),
           documents.dump(point.completed_blocks))
    written = connection.execute(_UPSERT, row)
    if written.rowcount:
        changes.append(connection, [Change(workspace_id=workspace_id, play_id=play_id,
                                           kind=ChangeKind.RECOVERY_POINT)])


def of_play(connection: Connection, workspace_id: str, play_id: str) -> list[dict[str, Any]]:
    """Return the recovery points of a play, oldest first."""
    rows = connection.execute("SELECT * FROM recovery_points WHERE workspace_id = ? AND play_id = ?"
                              " ORDER BY timestamp, rowid", (workspace_id, play_id))
    return [_view(row) for row in rows]


def _view(row: Row) -> dict[str, Any]:
    return {
        "pointId": row["point_id"],
        "timestamp": row["timestamp"],
        "state": documents.load_optional(row["state"]),
        "completedBlocks": documents.load_optional(row["completed_blocks"]),
    }
