"""The log of a storm: what was asked for, answered and broken, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from tests.chaos.storm.store import AtWork


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One fault that happened."""

    kind: str
    at: datetime
    seconds: float
    """How long it took until the thing served again."""
    struck: frozenset[int]
    """The processes that were hit."""
    at_work: Sequence[AtWork]
    """What was ready or running right before."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What somebody answered to a request for approval, and what came back."""

    approval_id: str
    who: str
    approved: bool
    status: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """What an operator asked for, and what came back."""

    execution_id: str
    name: str
    at: datetime
    status: int


@dataclass(kw_only=True)
class Log:
    """All of a storm; written by several threads."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Execution id -> template id, of those that the API has accepted."""
    unanswered: int = 0
    """Requests for an execution of which nobody knows whether they were accepted."""
    blows: list[Blow] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def accept(self, execution_id: str, template_id: str) -> None:
        """Note an accepted execution."""
        with self._lock:
            self.accepted[execution_id] = template_id

    def latest(self, count: int) -> Sequence[tuple[str, str]]:
        """Return the executions that were accepted last, with their templates."""
        with self._lock:
            return list(self.accepted.items())[-count:]

    def faults(self) -> Counter[str]:
        """Return how many faults of each kind there were."""
        return Counter(blow.kind for blow in self.blows)
