"""Checkpoints: what the engine reports of blocks, many in one transaction, never backwards.

Each carries the pair (epoch, fence) under which the block was worked on. A smaller or equal pair than the
stored one changes nothing, so reports may come late, twice and in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from sandbox.state_service import changes, documents, plays
from sandbox.state_service.changes import Change, ChangeKind

_Key = tuple[str, str, str]
_Pair = tuple[int, int]
_Row = tuple[Any, ...]
_PAIR_LENGTH = 2
_COLUMNS = ("epoch", "fence", "status", "agent_id", "input", "output", "error", "retry_count", "started_at",
            "completed_at", "human_interactions")
_SELECT = (f"SELECT {', '.join(_COLUMNS)} FROM blocks"
           " WHERE workspace_id = ? AND play_id = ? AND block_id = ? AND epoch IS NOT NULL")
_UPSERT = (f"INSERT INTO blocks (workspace_id, play_id, block_id, {', '.join(_COLUMNS)})"
           f" VALUES (?, ?, ?, {', '.join('?' for _ in _COLUMNS)})"
           " ON CONFLICT (workspace_id, play_id, block_id) DO UPDATE SET "
           + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS))


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What the engine reports of one block."""

    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int
    """Grows when the block is deliberately run again."""
    fence: int
    """Grows with each claim of the block."""
    status: str
    agent_id: str | None
    input: dict[str, Any] | None
    output: dict[str, Any] | None
    error: dict[str, Any] | None
    retry_count: int
    started_at: str | None
    completed_at: str | None
    human_interactions: list[dict[str, Any]]

    @property
    def key(self) -> _Key:
        """Which block it is about."""
        return self.workspace_id, self.execution_id, self.block_id

    def to_row(self) -> _Row:
        """Return the stored columns; equal contents give equal rows."""
        return (self.epoch, self.fence, self.status, self.agent_id, documents.dump_optional(self.input),
                documents.dump_optional(self.output), documents.dump_optional(self.error), self.retry_count,
                self.started_at, self.completed_at, documents.dump(self.human_interactions))


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of a batch."""

    accepted: int
    """Written, or a repeat of what was written."""
    stale: int
    """Came too late and changed nothing."""


def record(connection: Connection, batch: Sequence[Checkpoint]) -> Tally:
    """Write what is newer than what is stored; a play that is not known yet is created.

    Args:
        connection: within a write transaction.
        batch: any mix of plays; several checkpoints of one block count in their order.
    """
    plays.ensure(connection, dict.fromkeys((one.workspace_id, one.execution_id) for one in batch))
    stored = {key: _stored(connection, key) for key in {one.key for one in batch}}
    newer: list[tuple[_Key, _Row]] = []
    stale = 0
    for key, row in ((one.key, one.to_row()) for one in batch):
        known = stored[key]
        if known is None or _pair(row) > _pair(known):
            stored[key] = row
            newer.append((key, row))
        elif row != known:
            stale += 1
    _write(connection, newer)
    return Tally(accepted=len(batch) - stale, stale=stale)


def _write(connection: Connection, newer: Iterable[tuple[_Key, _Row]]) -> None:
    connection.executemany(_UPSERT, [key + row for key, row in newer])
    changes.append(connection, [
        Change(workspace_id=workspace_id, play_id=play_id, block_id=block_id, kind=ChangeKind.BLOCK)
        for (workspace_id, play_id, block_id), _ in newer])


def _stored(connection: Connection, key: _Key) -> _Row | None:
    row = connection.execute(_SELECT, key).fetchone()
    return None if row is None else tuple(row)


def _pair(row: _Row) -> _Pair:
    epoch, fence = row[:_PAIR_LENGTH]
    return epoch, fence
