"""The end of the demo: what each block did, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cli.views.durations import elapsed, length
from cli.views.executions import blocks_table, named
from cli.views.statuses import label
from sandbox.demo.errors import DemoFailed

Document = Mapping[str, Any]
_FIRST_LINES = 14


def show_end(execution: Document, screen: Console) -> None:
    """Print the blocks of an ended execution, where the notes are and how they begin.

    Raises:
        DemoFailed: there are no notes, or not those that were approved.
    """
    now = datetime.now(UTC)
    took = length(elapsed(execution["startedAt"], execution["completedAt"], now))
    screen.print(Text.assemble("\n", (named(execution), "bold"), " ", label(execution["status"]), f" in {took}"))
    screen.print(blocks_table(execution, now))
    path, text = _notes(execution)
    lines = text.splitlines()
    screen.print(Text.assemble(("Release notes  ", "bold"), str(path), f"  ({len(lines)} lines)"), soft_wrap=True)
    shown = lines if len(lines) <= _FIRST_LINES else [*lines[:_FIRST_LINES - 2], "...", lines[-1]]
    screen.print(Padding(Text("\n".join(shown), style="dim"), (1, 2), expand=False))


def _notes(execution: Document) -> tuple[Path, str]:
    writer = next(block for block in execution["blockExecutions"] if block["blockId"] == "write_notes")
    path = Path(writer["output"]["path"])
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DemoFailed(f"The release notes can't be read: {error.strerror} ({path}).") from error
    answers = [person["response"] for person in writer["humanInteractions"] if person["response"]]
    approved = (answers[-1].get("response") or {}).get("notes") if answers else None
    if approved is not None and text != approved:
        raise DemoFailed(f"The release notes in {path} are not those that were approved.")
    return path, text
