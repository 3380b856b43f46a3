"""The log of an execution: each event of its history as an entry with a level and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from workflow_service.domain.events import Event
from workflow_service.domain.sentences import sentence_of


class Level(StrEnum):
    """How much an event asks for attention."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def and_worse(self) -> frozenset[Level]:
        """This level and those above it."""
        ordered = list(Level)
        return frozenset(ordered[ordered.index(self):])


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One event as people read it."""

    sequence: int
    """Its place in the history of the execution, from 1."""
    timestamp: datetime
    level: Level
    block_id: str | None
    event_type: str
    message: str
    """What happened, in a sentence."""
    details: Mapping[str, Any]
    """The payload of the event."""


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """Which entries of the log of one execution."""

    execution_id: str
    block_id: str | None = None
    level: Level | None = None
    """The least that an entry asks for; None for all."""
    limit: int = 100
    offset: int = 0

    def admits(self, entry: LogEntry) -> bool:
        """Say whether an entry is wanted."""
        return self.block_id in (None, entry.block_id) and (self.level is None or entry.level in self.level.and_worse)


def entry_of(sequence: int, event: Event) -> LogEntry:
    """Return the entry of an event."""
    return LogEntry(sequence=sequence, timestamp=event.at, level=level_of(event), block_id=event.block_id,
                    event_type=event.type, message=sentence_of(event), details=event.payload)


def level_of(event: Event) -> Level:
    """Return how much an event asks for attention.

    What failed is an error; what was retried, held, cancelled, lost or escalated is a warning.
    """
    if event.type == "execution_cancelling" and event.payload.get("error"):
        return Level.ERROR
    if (event.type, event.payload.get("cause")) in _WARNING_CAUSES or _is_no(event):
        return Level.WARNING
    return _LEVELS.get(event.type, Level.INFO)


_LEVELS: Mapping[str, Level] = {
    **dict.fromkeys(("execution_failed", "block_failed", "block_rejected"), Level.ERROR),
    **dict.fromkeys(("execution_pausing", "execution_paused", "execution_held", "execution_cancelling",
                     "execution_cancel_forced", "execution_cancelled", "block_retry_scheduled", "block_cancelled",
                     "wait_cancelled", "approval_timeout", "approval_cancelled", "approval_superseded",
                     "approval_expired"), Level.WARNING)}
_WARNING_CAUSES = frozenset({("block_started", "lease_expired"), ("block_ready", "held")})


def _is_no(event: Event) -> bool:
    return event.type == "approval_responded" and event.payload.get("status") == "rejected"
