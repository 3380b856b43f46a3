"""Signals, and what blocks wait for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from cli.views.durations import NOTHING, moment
from cli.views.tables import table

Document = Mapping[str, Any]
_LONGEST = 60
"""Characters of a payload that are shown."""


def signals_table(signals: Iterable[Document]) -> Table:
    """Return signals, one a line."""
    shown = table("Signal", "Sent", "By", "Block", "Payload", whole=["Signal"])
    for signal in signals:
        shown.add_row(signal["name"], moment(signal["sentAt"]), signal["sentBy"], signal["takenBy"] or NOTHING,
                      _shortened(json.dumps(signal["payload"], ensure_ascii=False)))
    return shown


def sent(signal: Document) -> str:
    """Return what became of a signal that was sent."""
    if signal["takenBy"]:
        return f"Block {signal['takenBy']} has taken the signal {signal['name']}."
    return f"The signal {signal['name']} is kept until a block takes it."


def awaited(block: Document) -> str:
    """Return what a block that is blocked waits for, as far as the API tells; empty if it tells nothing."""
    told = block.get("waitingFor") or {}
    names = (" and " if told.get("mode") == "all" else " or ").join(told.get("signals") or ())
    until = f"until {moment(told['until'])}" if told.get("until") else ""
    return " ".join(part for part in (names, until) if part) if told.get("kind") in ("signal", "time") else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
