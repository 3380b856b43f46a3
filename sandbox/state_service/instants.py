"""Instants as RFC 3339 text in UTC, always with microseconds, so that their texts sort as they do."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z")


def to_text(instant: datetime) -> str:
    """Return the text of an aware instant."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def normalise(text: str) -> str:
    """Return the same instant in UTC.

    Raises:
        ValueError: it is no RFC 3339 instant with an offset.
    """
    if not _RFC_3339.match(text):
        raise ValueError("not an RFC 3339 instant")
    try:
        return to_text(datetime.fromisoformat(text))
    except OverflowError as error:
        raise ValueError("out of range in UTC") from error


def now() -> str:
    """Return the present instant."""
    return to_text(datetime.now(UTC))
