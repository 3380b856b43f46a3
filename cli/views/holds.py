"""Standing holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from cli.views.durations import elapsed, length
from cli.views.statuses import label
from cli.views.tables import table

Document = Mapping[str, Any]
_CLOCKS: Mapping[str, str] = {"stop": "time-outs stand still", "run": "time-outs run on"}


def holds_table(holds: Iterable[Document], now: datetime) -> Table:
    """Return holds, one a row."""
    shown = table("Hold", "On", "Status", whole=["Hold", "Status"])
    for hold in holds:
        shown.add_row(hold["holdId"], _described(hold, now), label(hold["status"]))
    return shown


def scope_of(hold: Document) -> str:
    """Return what a hold is on, in words."""
    return f"{hold['scope']} {hold['target']}" if hold["target"] else f"the {hold['scope']}"


def _described(hold: Document, now: datetime) -> Text:
    lines = [f"{hold['createdBy']}, {length(elapsed(hold['createdAt'], None, now))} ago",
             _CLOCKS.get(hold["clock"], hold["clock"]), *([hold["reason"]] if hold["reason"] else [])]
    return Text.assemble((scope_of(hold), "bold"), *((f"\n{line}", "dim") for line in lines))
