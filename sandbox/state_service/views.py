"""A play with all its parts, in the shape of the customer's workflow execution model."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from sandbox.state_service import blocks, documents, plays, recovery_points


def play_document(connection: Connection, workspace_id: str, play_id: str) -> dict[str, Any]:
    """Return the play with its blocks and recovery points.

    Raises:
        NotFound: there is no such play.
    """
    row = plays.get(connection, workspace_id, play_id)
    block_executions = blocks.of_play(connection, workspace_id, play_id)
    return {
        **plays.summary(row),
        **blocks.status_lists(block_executions),
        "input": documents.load_optional(row["input"]),
        "globalContext": documents.load_optional(row["context"]) or {},
        "blockExecutions": block_executions,
        "recoveryPoints": recovery_points.of_play(connection, workspace_id, play_id),
    }
