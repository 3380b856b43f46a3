"""Shows the start of the stack in a few words."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from sandbox.stack.directory import StackDirectory
from sandbox.stack.reporting import STACK


class StartDisplay:
    """A reporter for the demo: one changing line while the stack starts, later only what is out of order."""

    def __init__(self, screen: Console, directory: StackDirectory) -> None:
        """Take where to show it, and where the stack keeps its files."""
        self._screen = screen
        self._directory = directory
        self._started = time.monotonic()
        self._awaited: list[str] = []
        self._status: Status | None = None

    def expecting(self, names: Iterable[str]) -> Self:
        """Take the names of the parts that will start."""
        self._awaited = list(names)
        return self

    def progress(self, name: str, text: str) -> None:
        """Show what is still awaited, where something can be shown for a moment."""
        self._awaited = [awaited for awaited in self._awaited if awaited != name]
        if self._status is not None:
            self._status.update(f"waiting for {', '.join(self._awaited)}")
        elif name == STACK:
            self._screen.print(Text(f"{STACK} {text}", style="dim"))

    def trouble(self, name: str, text: str) -> None:
        """Print it."""
        self._screen.print(Text(f"{name} {text}", style="yellow"), soft_wrap=True)

    def ready(self, url: str, flower_url: str) -> None:
        """Say that all is there."""
        self._end()
        took = time.monotonic() - self._started
        self._screen.print(Text(f"          ready after {took:.1f} s; API {url}/api/docs, Flower {flower_url}"),
                           soft_wrap=True)

    def __enter__(self) -> Self:
        """Say that the stack starts."""
        self._screen.print(Text.assemble(("Stack     ", "bold"), "starting; its data and logs are in "
                                                                 f"{self._directory.path}"), soft_wrap=True)
        if self._screen.is_terminal:
            self._status = self._screen.status("starting")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Stop showing."""
        self._end()

    def _end(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
