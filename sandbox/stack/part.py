"""One part of the stack: a process to be, what it needs, and how to know that it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

LogText = Callable[[], str]
"""Returns what a process has written since it was started."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """How to run one part."""

    name: str
    argv: Sequence[str]
    """The program by its whole path, and its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of all parts."""
    is_ready: Callable[[LogText], bool] = lambda _: False
    """Says whether it serves; must not take long, nor raise."""
    needs: frozenset[str] = frozenset()
    """The parts that must be ready before it starts, and end after it."""
    runs_once: bool = False
    """True for a part that is ready when it has ended well."""
    ready_within: timedelta = timedelta(seconds=60)
    stop_within: timedelta = timedelta(seconds=8)
    """How long it may take to end by itself before it is killed."""
