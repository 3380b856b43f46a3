"""Blocks within plays: reading them, and what agents report of them while they work."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any

from sandbox.state_service import changes, documents, instants, plays
from sandbox.state_service.changes import Change, ChangeKind
from sandbox.state_service.errors import NotFound

STATUS_LISTS = {
    "currentBlocks": frozenset({"ready", "running", "retry_wait"}),
    "completedBlocks": frozenset({"completed"}),
    "failedBlocks": frozenset({"failed", "rejected"}),
    "blockedBlocks": frozenset({"awaiting_approval", "awaiting_agent", "awaiting_signal", "awaiting_time",
                                "awaiting_children", "awaiting_fix"}),
}
"""The lists of a play, and which statuses of blocks belong in each; the other statuses are in no list."""
_REPORTED_ONLY = "running"
_REPORT = """
INSERT INTO blocks (workspace_id, play_id, block_id, progress, reported_status, reported_by, reported_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace_id, play_id, block_id) DO UPDATE SET
    progress = COALESCE(excluded.progress, progress),
    reported_status = COALESCE(excluded.reported_status, reported_status),
    reported_by = excluded.reported_by, reported_at = excluded.reported_at
"""


@dataclass(frozen=True, kw_only=True)
class BlockReport:
    """What an agent says of the block it works on."""

    progress: dict[str, Any] | None
    """None keeps the last one."""
    status: str | None
    """None keeps the last one; a checkpoint's status goes before it."""
    source: str


def report(connection: Connection, workspace_id: str, play_id: str, block_id: str,
           said: BlockReport) -> dict[str, Any]:
    """Record what an agent says, beside what the checkpoints say, and return the block."""
    plays.ensure(connection, [(workspace_id, play_id)])
    connection.execute(_REPORT, (workspace_id, play_id, block_id, documents.dump_optional(said.progress),
                                 said.status, said.source, instants.now()))
    changes.append(connection, [Change(workspace_id=workspace_id, play_id=play_id, block_id=block_id,
                                       kind=ChangeKind.PROGRESS, source=said.source)])
    return get(connection, workspace_id, play_id, block_id)


def get(connection: Connection, workspace_id: str, play_id: str, block_id: str) -> dict[str, Any]:
    """Return one block in the shape of the contract.

    Raises:
        NotFound: nothing was ever reported of it.
    """
    row = connection.execute("SELECT * FROM blocks WHERE workspace_id = ? AND play_id = ? AND block_id = ?",
                             (workspace_id, play_id, block_id)).fetchone()
    if row is None:
        raise NotFound("block", block_id)
    return _view(row)


def of_play(connection: Connection, workspace_id: str, play_id: str) -> list[dict[str, Any]]:
    """Return all blocks of a play in the order in which they were first reported."""
    rows = connection.execute("SELECT * FROM blocks WHERE workspace_id = ? AND play_id = ? ORDER BY rowid",
                              (workspace_id, play_id))
    return [_view(row) for row in rows]


def status_lists(blocks: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the ids of the blocks that stand in each of the play's lists."""
    return {name: [block["blockId"] for block in blocks if block["status"] in statuses]
            for name, statuses in STATUS_LISTS.items()}


def _view(row: Row) -> dict[str, Any]:
    return {
        "blockId": row["block_id"],
        "executionId": row["play_id"],
        "agentId": row["agent_id"],
        "status": row["status"] or row["reported_status"] or _REPORTED_ONLY,
        "startedAt": row["started_at"],
        "completedAt": row["completed_at"],
        "input": documents.load_optional(row["input"]),
        "output": documents.load_optional(row["output"]),
        "error": documents.load_optional(row["error"]),
        "retryCount": row["retry_count"],
        "humanInteractions": documents.load_optional(row["human_interactions"]),
        "epoch": row["epoch"],
        "fence": row["fence"],
        "progress": documents.load_optional(row["progress"]),
        "reportedStatus": row["reported_status"],
        "reportedBy": row["reported_by"],
        "reportedAt": row["reported_at"],
    }
