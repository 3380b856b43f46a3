"""The kinds of values that a setting can have: how each is read, and what it allows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_LONGEST = timedelta(days=366) // timedelta(milliseconds=1)
_SHOWN = 80


class Kind(Protocol):
    """How a setting's value is read."""

    @property
    def allowed(self) -> str:
        """What a value may be, to be shown after "allowed:"."""

    def read(self, given: object) -> object:
        """Return the value for what was given as text, or as a value of the file. Raises ValueError."""

    def show(self, given: object) -> str:
        """Return what was given in a form that may be shown to anybody."""


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A whole number."""

    least: int = 1
    most: int = 1_000_000
    unit: str = ""
    """What it counts, such as `` of seconds``; empty for a plain number."""
    convert: Callable[[int], object] = int
    """Makes the setting's value of the number."""

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"a whole number{self.unit} from {self.least} to {self.most}"

    def read(self, given: object) -> object:
        """Return the number, converted."""
        number = int(given) if isinstance(given, str) and _WHOLE_NUMBER.match(given) else given
        if isinstance(number, bool) or not isinstance(number, int) or not self.least <= number <= self.most:
            raise ValueError("not such a number")
        return self.convert(number)

    def show(self, given: object) -> str:
        """Show it as it is."""
        return shortened(given)


def milliseconds(least: int = 1) -> Whole:
    """Return the kind of a duration that is given in milliseconds."""
    return Whole(least=least, most=_LONGEST, unit=" of milliseconds",
                 convert=lambda number: timedelta(milliseconds=number))


def seconds() -> Whole:
    """Return the kind of a duration that is given in seconds."""
    return Whole(most=_LONGEST // 1000, unit=" of seconds", convert=lambda number: timedelta(seconds=number))


@dataclass(frozen=True, kw_only=True)
class Text:
    """Any text that can be printed."""

    allowed: str = "a text that is not empty"

    def read(self, given: object) -> str:
        """Return the text."""
        if not isinstance(given, str) or not given.strip() or not given.isprintable():
            raise ValueError("not a text")
        return given

    def show(self, given: object) -> str:
        """Show it as it is."""
        return shortened(given)


@dataclass(frozen=True, kw_only=True)
class Secret(Text):
    """A text that is never shown."""

    def show(self, given: object) -> str:
        """Show nothing of it."""
        return "a value that is not shown"


@dataclass(frozen=True, kw_only=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return " or ".join(self.words)

    def read(self, given: object) -> str:
        """Return the word."""
        if not isinstance(given, str) or given not in self.words:
            raise ValueError("not one of the words")
        return given

    def show(self, given: object) -> str:
        """Show it as it is."""
        return shortened(given)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Some of some words, none of them twice: a list in the file, separated by commas in the environment."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return f"any of {', '.join(self.words)}"

    def read(self, given: object) -> tuple[str, ...]:
        """Return the words in the order in which they were given."""
        listed = [word.strip() for word in given.split(",")] if isinstance(given, str) else given
        if not isinstance(listed, list) or any(word not in self.words for word in listed):
            raise ValueError("not only these words")
        return tuple(dict.fromkeys(listed))

    def show(self, given: object) -> str:
        """Show them as they are."""
        return shortened(given)


def shortened(given: object) -> str:
    """Return what was given as text of bounded length."""
    text = repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
