"""One colour and one mark for every status."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

_LOOKS: Mapping[str, tuple[str, str]] = {
    "completed": ("green", "✓"),
    "approved": ("green", "✓"),
    "failed": ("bold red", "✗"),
    "rejected": ("bold red", "✗"),
    "running": ("cyan", "●"),
    "ready": ("cyan", "○"),
    "retry_wait": ("yellow", "↻"),
    "waiting": ("yellow", "?"),
    "pausing": ("yellow", "‖"),
    "paused": ("yellow", "‖"),
    "cancelling": ("magenta", "–"),
    "cancelled": ("magenta", "–"),
    "superseded": ("magenta", "–"),
    "expired": ("magenta", "–"),
    "compensating": ("magenta", "↺"),
    "compensated": ("magenta", "↺"),
    "skipped": ("dim", "–"),
    "pending": ("dim", "·"),
}
_PARKED = ("yellow", "?")
_UNKNOWN = ("", "·")
ENDED = frozenset({"completed", "failed", "cancelled"})
"""The statuses in which an execution has ended."""


def style(status: str) -> str:
    """Return the colour of a status."""
    return _look(status)[0]


def mark(status: str) -> Text:
    """Return the mark of a status."""
    colour, sign = _look(status)
    return Text(sign, style=colour)


def label(status: str) -> Text:
    """Return a status as a coloured word."""
    return Text(status.replace("_", " "), style=style(status))


def _look(status: str) -> tuple[str, str]:
    return _LOOKS.get(status) or (_PARKED if status.startswith("awaiting_") else _UNKNOWN)
