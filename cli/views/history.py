"""What happened in an execution, and what a verification of it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.views.durations import NOTHING, instant, length
from cli.views.tables import table

Document = Mapping[str, Any]
_LEVELS: Mapping[str, str] = {"info": "", "warning": "yellow", "error": "bold red"}
_ENDS: Mapping[str, str] = {"execution_completed": "green", "block_completed": "green"}
_RESULTS: Mapping[str, tuple[str, str]] = {
    "holds": ("✓", "green"), "broken": ("✗", "bold red"), "not_checked": ("·", "dim")}
_ELSEWHERE = " (not checked: the record is another service's)"


def history_table(events: Iterable[Document], start: str | None, *, wide: bool) -> Table:
    """Return events, one a line.

    Args:
        start: the instant from which time is counted; None for no events.
        wide: whether there is room for the types of the events.
    """
    names = ["#", "Time", "Elapsed", "Block", *(["Event"] if wide else []), "What happened"]
    shown = table(*names, numbers=["#", "Elapsed"], whole=["#", "Time", "Elapsed", "Event"])
    for event in events:
        cells = [_dim(str(event["sequence"])), _dim(_clock(event["timestamp"])), _since(start, event["timestamp"]),
                 event["blockId"] or NOTHING, *([_dim(event["type"])] if wide else []), _what(event)]
        shown.add_row(*cells)
    return shown


def log_lines(entries: Iterable[Document]) -> Table:
    """Return log entries in the order of time, one a line; their sequence is that in which they were stored."""
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, min_width=max(map(len, _LEVELS)))
    shown.add_column(overflow="fold")
    for entry in sorted(entries, key=lambda entry: (entry["timestamp"], entry["sequence"])):
        style = _LEVELS.get(entry["level"], "")
        shown.add_row(_dim(_day_and_clock(entry["timestamp"])), Text(entry["level"], style=style or "dim"),
                      Text(entry["message"], style=style))
    return shown


def verification_page(found: Document) -> RenderableType:
    """Return what was checked, rule by rule, and what is wrong."""
    verdict = Text("✓ all is well", style="green") if found["valid"] else Text("✗ something is wrong", style="bold red")
    heading = Text.assemble(("Execution ", "bold"), found["executionId"], "  ", verdict, "\n",
                            (f"Looked at {_counted(found['counts'])}.", "dim"), "\n")
    return Group(heading, _checks(found["checks"]), *_violations(found["violations"]))


def _checks(checks: Iterable[Document]) -> Table:
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, style="dim")
    shown.add_column(overflow="fold")
    for check in checks:
        sign, style = _RESULTS.get(check["result"], _RESULTS["not_checked"])
        note = _ELSEWHERE if check["result"] == "not_checked" else ""
        shown.add_row(Text(sign, style=style), check["invariant"],
                      Text(f"{check['meaning']}{note}", style="" if check["result"] == "holds" else style))
    return shown


def _violations(violations: Iterable[Document]) -> list[Text]:
    return [Text.assemble("\n", (f"✗ {one['invariant']}  ", "bold red"), (one["subject"], "bold"), "\n",
                          (one["message"], "red")) for one in violations]


def _counted(counts: Document) -> str:
    words = [f"{count} {name if count != 1 else name.removesuffix('s')}" for name, count in counts.items()]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _what(event: Document) -> Text:
    """Return what happened; the block stands in its own column."""
    style = _LEVELS.get(event["level"], "") or _ENDS.get(event["type"], "")
    return Text(str(event["message"]).removeprefix(f"Block '{event['blockId']}' "), style=style)


def _since(start: str | None, at: str) -> str:
    began, now = instant(start), instant(at)
    return NOTHING if began is None or now is None else f"+{length(max(now - began, timedelta()))}"


def _clock(text: str) -> str:
    value = instant(text)
    return NOTHING if value is None else value.astimezone().strftime("%H:%M:%S")


def _day_and_clock(text: str) -> str:
    value = instant(text)
    return NOTHING if value is None else value.astimezone().isoformat(" ", "milliseconds")[:23]


def _dim(text: str) -> Text:
    return Text(text, style="dim")
