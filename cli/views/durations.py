"""Instants and lengths of time, for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOTHING = "-"
"""What stands where there is nothing to tell."""
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def instant(text: str | None) -> datetime | None:
    """Return an instant of the API as a value; None for none."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def elapsed(start: str | None, end: str | None, now: datetime) -> timedelta | None:
    """Return how long something took, or has taken until now; None if it has not begun."""
    began = instant(start)
    return None if began is None else max((instant(end) or now) - began, timedelta())


def length(duration: timedelta | None) -> str:
    """Return a length of time, such as ``0.8 s`` or ``2 min 05 s``."""
    if duration is None:
        return NOTHING
    if duration < _MINUTE:
        return f"{duration.total_seconds():.1f} s"
    seconds = int(duration.total_seconds())
    if duration < _HOUR:
        return f"{seconds // 60} min {seconds % 60:02} s"
    if duration < _DAY:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{duration.days} d {seconds % 86400 // 3600:02} h"


def moment(text: str | None) -> str:
    """Return an instant in the time of this place."""
    value = instant(text)
    return NOTHING if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
