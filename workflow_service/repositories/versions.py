"""What a compare-and-set writes, the same for every adapter: the fields that differ, and the events that are new.

Others change a document beside its version: they take edges out, extend a lease, take slots. What they wrote must
outlive a change that was made from an earlier reading, so a change never writes a field that it did not alter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import Field, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.events import Event
from workflow_service.domain.statuses import BlockStatus


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Versioned(Dataclass, Protocol):
    """A domain value that changes by compare-and-set on its version."""

    @property
    def workspace_id(self) -> str:
        """The workspace that it belongs to."""

    @property
    def version(self) -> int:
        """Grows with each transition."""

    @property
    def due_at(self) -> datetime | None:
        """When the sweep must look at it."""

    @property
    def outbox(self) -> tuple[Event, ...]:
        """Its events that are not known to be relayed."""


V = TypeVar("V", bound=Versioned)


def changed_fields(before: V, after: V) -> tuple[str, ...]:
    """Return the names of the fields that differ; never ``outbox``, which only grows and shrinks entry by entry.

    A new version says anew when it is due, even if that is the instant that was read: it may have been moved since.
    """
    always = {"due_at"} if before.version != after.version else set()
    return tuple(field.name for field in fields(before) if field.name != "outbox" and (
        field.name in always or not _same(getattr(before, field.name), getattr(after, field.name))))


def new_events(before: V, after: V) -> tuple[Event, ...]:
    """Return the events that the change added (several, if several transitions were composed)."""
    known = {event.event_id for event in before.outbox}
    return tuple(event for event in after.outbox if event.event_id not in known)


def guarded_fields(before: BlockExecution, after: BlockExecution) -> tuple[str, ...]:
    """Return the fields of a block that must still be as they were read, beside the version, for the change to hold.

    They are those that change beside the version, where the change builds on them: edges that it decides itself, and
    the lease that it takes over because it has expired, which its owner may have extended since.
    """
    edges = () if before.pending_edges == after.pending_edges else ("pending_edges",)
    takes_over = before.status is after.status is BlockStatus.RUNNING and before.fence != after.fence
    return (*edges, "lease_until") if takes_over else edges


def _same(one: object, other: object) -> bool:
    """Compare as JSON does, to which ``1``, ``1.0`` and ``true`` are three different things."""
    if one is other:
        return True
    return one == other and (not isinstance(one, Mapping) or json.dumps(one) == json.dumps(other))
