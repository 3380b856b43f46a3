"""Tells a person what happens to the parts of the stack."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

STACK = "stack"
"""The name under which the supervisor itself speaks."""


class Reporter(Protocol):
    """Takes one line about a part; must not raise."""

    def progress(self, name: str, text: str) -> None:
        """Take what goes as it should."""

    def trouble(self, name: str, text: str) -> None:
        """Take what a person should see in any case."""


class LineReporter:
    """Prints coloured lines: the time, the part, what happened."""

    def __init__(self, names: Iterable[str], output: TextIO = sys.stderr) -> None:
        """Give each name its colour.

        Args:
            names: those that will be spoken of.
            output: where the lines go.
        """
        known = [STACK, *names]
        self._printer = Printer(output, width=max(map(len, known)))
        self._colours = dict(zip(known, get_colours(), strict=False))

    def progress(self, name: str, text: str) -> None:
        """Print it."""
        with suppress(OSError):  # the terminal was closed; what is left to do is done without it
            self._printer.write(Message(type="line", data=text, time=datetime.now(), name=name,
                                        colour=self._colours.get(name)))

    def trouble(self, name: str, text: str) -> None:
        """Print it."""
        self.progress(name, text)
