"""Instants as text, which people, expressions and outputs of blocks have: RFC 3339, with their time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")
"""What is more exact than Python can tell; no more than milliseconds are kept anyway."""


def instant_text(at: datetime) -> str:
    """Return an instant as outputs of blocks have it: RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: object) -> datetime | None:
    """Return the instant that a text names, in UTC; None if it names none."""
    if not isinstance(text, str) or _RFC_3339.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text).upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or one before or after all years
        return None
