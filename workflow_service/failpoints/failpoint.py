"""What a failpoint is: a call of a port, and the moment of that call at which the process ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Predicate = Callable[[Sequence[Any], Any], bool]
"""Says of the arguments and the result of a call (None before there is one) whether it is one that is meant."""


class When(Enum):
    """The moment within a call."""

    BEFORE = auto()
    """Nothing has been asked for yet."""
    DURING = auto()
    """The request was sent, and the answer is not there a while later; a faster call passes."""
    AFTER = auto()
    """The answer is there, and nobody has looked at it."""


@dataclass(frozen=True, kw_only=True)
class Failpoint:
    """A moment in the life of an execution at which a process may end."""

    name: str
    description: str
    """When that is, in words."""
    port: str
    """The attribute of ``Ports``, with dots."""
    method: str
    when: When
    holds: Predicate
    """Which of the calls are meant."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A failpoint that is to be armed."""

    name: str
    occurrence: int = 1
    """The process ends when the moment is reached for this time, from 1."""
