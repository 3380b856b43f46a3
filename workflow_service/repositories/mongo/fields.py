"""Types of document fields that mongoengine does not have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mongoengine.base import BaseField

from workflow_service.domain.attributes import Attributes, term
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Slot
from workflow_service.repositories.instants import MILLISECOND
from workflow_service.repositories.mongo.json_values import decode_json, encode_json


class Field(BaseField):  # type: ignore[misc]  # mongoengine has no types
    """A field that is stored as its domain value is, or as ``to_mongo`` says."""

    def to_mongo(self, value: Any) -> Any:
        """Return what is stored."""
        return value

    def to_python(self, value: Any) -> Any:
        """Return the domain's value."""
        return value


class TextField(Field):
    """A text that the domain vouches for."""


class JsonField(Field):
    """JSON of any shape; when it is large, ``large_values`` keeps it elsewhere."""


class DurationField(Field):
    """A duration, in milliseconds."""

    def to_mongo(self, value: timedelta) -> int:
        """Return what is stored."""
        return value // MILLISECOND

    def to_python(self, value: int) -> timedelta:
        """Return the domain's value."""
        return value * MILLISECOND


class TextsField(Field):
    """Several texts in their order."""

    def to_mongo(self, value: tuple[str, ...]) -> list[str]:
        """Return what is stored."""
        return list(value)

    def to_python(self, value: list[str]) -> tuple[str, ...]:
        """Return the domain's value."""
        return tuple(value)


class SlotsField(Field):
    """The slots of an execution."""

    def to_mongo(self, value: tuple[Slot, ...]) -> list[dict[str, Any]]:
        """Return what is stored."""
        return [slot_to_raw(slot) for slot in value]

    def to_python(self, value: list[dict[str, Any]]) -> tuple[Slot, ...]:
        """Return the domain's value."""
        return tuple(Slot(block_id=slot["blockId"], fence=slot["fence"]) for slot in value)


class AttributesField(Field):
    """Search attributes, each with the term by which it is found."""

    def to_mongo(self, value: Attributes) -> list[dict[str, Any]]:
        """Return what is stored."""
        return [{"key": key, "value": content, "term": term(key, content)} for key, content in value.items()]

    def to_python(self, value: list[dict[str, Any]]) -> Attributes:
        """Return the domain's value."""
        return {entry["key"]: decode_json(entry["value"]) for entry in value}


class EventsField(Field):
    """Events that are not known to be relayed."""

    def to_mongo(self, value: tuple[Event, ...]) -> list[dict[str, Any]]:
        """Return what is stored."""
        return [event_to_raw(event) for event in value]

    def to_python(self, value: list[dict[str, Any]]) -> tuple[Event, ...]:
        """Return the domain's value."""
        return tuple(event_from_raw(event) for event in value)


def slot_to_raw(slot: Slot) -> dict[str, Any]:
    """Return a slot as it is stored; the order of its keys is part of its value there."""
    return {"blockId": slot.block_id, "fence": slot.fence}


def event_to_raw(event: Event) -> dict[str, Any]:
    """Return an event as it is stored, in an outbox and in the history alike."""
    raw = {"eventId": event.event_id, "type": event.type, "workspaceId": event.workspace_id,
           "executionId": event.execution_id, "source": event.source, "version": event.version, "at": event.at,
           "payload": encode_json(event.payload)}
    return raw if event.block_id is None else {**raw, "blockId": event.block_id}


def event_from_raw(raw: Mapping[str, Any]) -> Event:
    """Return a stored event."""
    return Event(type=raw["type"], workspace_id=raw["workspaceId"], execution_id=raw["executionId"],
                 source=raw["source"], version=raw["version"], at=raw["at"], block_id=raw.get("blockId"),
                 payload=decode_json(raw["payload"]))
