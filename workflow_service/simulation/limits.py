"""How much a simulation may take, and what is said when it takes more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one simulation."""

    real_time: timedelta = timedelta(seconds=5)
    """Of computing; what was found out by then is the answer."""
    events: int = 20_000
    virtual_time: timedelta = timedelta(days=3660)
    workers: int = 100
    """Agents that are called at once; as many threads wait for them."""


class CutShort(Exception):
    """Raised when a simulation reaches a limit; says which, in a sentence."""
