"""Instants and durations as the stores keep them: cut to milliseconds, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)


def cut_instant(at: datetime) -> datetime:
    """Return an aware instant in UTC, cut to milliseconds."""
    in_utc = at.astimezone(UTC)
    return in_utc.replace(microsecond=in_utc.microsecond // 1000 * 1000)


def cut_duration(length: timedelta) -> timedelta:
    """Return a duration cut to milliseconds."""
    return length // MILLISECOND * MILLISECOND
