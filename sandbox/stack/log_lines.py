"""The end of a log, shortened for a terminal."""

from __future__ import annotations

import json

_LONGEST = 200


def last_lines(text: str, count: int) -> str:
    """Return the last lines of a log; of a JSON line what happened, of an exception its last line."""
    return "\n".join(f"  {_shortened(line)}" for line in text.splitlines()[-count:])


def _shortened(line: str) -> str:
    told = _told(line)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."


def _told(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict) or "event" not in entry:
        return line
    reason = str(entry.get("exception") or "").strip().rpartition("\n")[2]
    return " ".join(str(part) for part in (entry.get("level", ""), entry["event"], reason) if part)
