"""Writing JSON: instants as RFC 3339 in UTC, keys in the order they were given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from flask.json.provider import DefaultJSONProvider


def rfc3339(instant: datetime) -> str:
    """Return an aware instant as text, to the millisecond (the store keeps no more)."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ServiceJSON(DefaultJSONProvider):
    """The JSON of this service."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """Return what a value that JSON does not know is written as."""
        if isinstance(value, datetime):
            return rfc3339(value)
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, (set, frozenset)):
            return sorted(value)
        if isinstance(value, Enum):
            return value.value
        raise TypeError(f"{type(value).__name__} can't be written as JSON.")
