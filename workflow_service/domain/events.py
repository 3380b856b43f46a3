"""Events: what happened to an execution, one of its blocks, a wait or an approval, in the past tense.

Each transition appends its event to the outbox of the very document that it changes, in the same update: there is no
transition without its event and no event without its transition. ``(source, version)`` is unique, so an event can be
relayed any number of times and is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change of one document."""

    type: str
    """Past tense, such as ``block_completed``."""
    workspace_id: str
    execution_id: str
    source: str
    """The id of the document that changed."""
    version: int
    """The version of that document after the change."""
    at: datetime
    block_id: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What else is to be known: status, epoch, fence, cause, error ... (JSON)."""

    @property
    def event_id(self) -> str:
        """The same for each copy of this event, and for no other event."""
        return f"{self.source}@{self.version}"
