"""What the State Management Service notifies us of: that something was changed, not what it is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """One change, made by us or by somebody else."""

    cursor: int
    """Its place in the order of changes."""
    workspace_id: str
    execution_id: str | None
    """None for a change of a workspace's context."""
    block_id: str | None
    """None unless it is about one block."""
    kind: str
    """What was changed: ``play``, ``block``, ``progress``, ``recovery_point``, ``context``."""
    at: datetime
    source: str
    """Who changed it; ``engine`` is ourselves."""


@dataclass(frozen=True, kw_only=True)
class StateChanges:
    """The changes after a cursor, oldest first."""

    changes: tuple[StateChange, ...]
    next_cursor: int
    """The cursor to read on from; smaller than the one that was asked for if the service lost its memory."""
