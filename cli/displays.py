"""Ways to show an execution that goes on: a live tree in a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.following import changes
from cli.views.executions import execution_tree, named
from cli.views.standing import remarks
from cli.views.statuses import label

Document = Mapping[str, Any]


class Display(Protocol):
    """Shows one reading after the other."""

    def update(self, execution: Document) -> None:
        """Show an execution as it is now."""


class LineDisplay:
    """Prints a line for each change."""

    def __init__(self, console: Console) -> None:
        """Nothing was read yet."""
        self._console = console
        self._last: Document | None = None

    def update(self, execution: Document) -> None:
        """Print what is new."""
        now = datetime.now().strftime("%H:%M:%S")
        for change in changes(self._last, execution, datetime.now(UTC)):
            attempt = f"attempt {change.attempt}" if change.attempt > 1 else ""
            told = "".join(f"  {text}" for text in (attempt, change.note) if text)
            self._console.print(Text.assemble((f"{now}  ", "dim"), f"{change.block_id:<16} ", label(change.status),
                                              told))
        if self._last is None or _standing(self._last) != _standing(execution):
            told = "".join(f"  {remark}" for remark in remarks(execution))
            self._console.print(Text.assemble((f"{now}  ", "dim"), f"{named(execution)} is ",
                                              label(execution["status"]), (told, "dim")))
        self._last = execution


class TreeDisplay:
    """Keeps a tree on the screen."""

    def __init__(self, live: Live, steps: Sequence[Sequence[str]]) -> None:
        """Take the live region and the steps of the template."""
        self._live = live
        self._steps = steps

    def update(self, execution: Document) -> None:
        """Draw the tree again."""
        self._live.update(execution_tree(execution, self._steps, datetime.now(UTC)), refresh=True)


def _standing(execution: Document) -> tuple[Any, ...]:
    return execution["status"], execution.get("holds")


@contextmanager
def display(console: Console, steps: Sequence[Sequence[str]]) -> Iterator[Display]:
    """Return what suits the console: a tree in a terminal, otherwise lines."""
    if not console.is_terminal:
        yield LineDisplay(console)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as live:
        yield TreeDisplay(live, steps)
