"""Rates: how often something may begin within any minute, and when it may if not now.

What may not begin now is promised an instant, evenly spread after the others that wait, so that not all of them come
again at once. Whoever comes with a promise goes before whoever comes anew, and yet no minute ever sees more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
_LEAST = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How it went lately."""

    starts: tuple[datetime, ...] = ()
    """The latest starts, the oldest first, as many as may lie within the window."""
    promised: datetime | None = None
    """The latest instant that was promised to anybody."""


def ask(pace: Pace, per_minute: int, at: datetime, *, is_promised: bool) -> tuple[Pace, datetime]:
    """Return when one more may begin, and the pace with that.

    Args:
        at: now; it begins if this is returned.
        is_promised: whether it was promised an instant that has come.
    """
    latest = pace.starts[-per_minute:]
    free = latest[0] + WINDOW if len(latest) == per_minute else at
    if free <= at and (is_promised or pace.promised is None or pace.promised <= at):
        return Pace(starts=(*latest, at)[-per_minute:], promised=pace.promised), at
    later = max(free, at + _LEAST)
    if pace.promised is None:
        return Pace(starts=latest, promised=later), later
    if is_promised:  # it came late, and others have begun meanwhile: it is the next
        return Pace(starts=latest, promised=max(later, pace.promised)), later
    later = max(later, pace.promised + WINDOW // _LEAST // per_minute * _LEAST)
    return Pace(starts=latest, promised=later), later
