"""Control flow beyond dependencies and branches: what a block may do besides one call of one agent.

A block does the work of an agent, unless it says ``workflow``, ``wait``, ``waitFor`` or ``end`` instead. ``map`` and
``loop`` let an agent or a workflow work several times. The rest changes when a block begins and what its end means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

MAX_ITEMS = 10_000
"""Of one map."""
MAX_ITERATIONS = 1000
"""Of one loop."""
MAX_MAP_WIDTH = 1000
"""Items of one map that are at work at once."""
MAX_EARLY_JOIN_EDGES = 64
"""Edges into a block that may begin before all of them are decided; such a join can't be cut into a tree."""


class BlockKind(StrEnum):
    """Who or what does a block."""

    AGENT = "agent"
    WORKFLOW = "workflow"
    WAIT = "wait"
    WAIT_FOR = "waitFor"
    END = "end"

    @property
    def acts(self) -> bool:
        """True when doing it may change the world outside."""
        return self in (BlockKind.AGENT, BlockKind.WORKFLOW)


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How many items of a map may fail."""

    count: int = 0
    percent: int | None = None
    """Of all items; counts instead of ``count`` if it is given."""

    def allows(self, failed: int, total: int) -> bool:
        """Say whether the map may still end well."""
        return failed <= self.count if self.percent is None else failed * 100 <= self.percent * total


@dataclass(frozen=True, kw_only=True)
class Map:
    """Do the work once for each item of a list that is known when the block begins."""

    items: str
    """CEL that gives the list."""
    name: str = "item"
    """What the block's expressions know an item as; its place, from 0, is ``index``."""
    max_parallel: int | None = None
    """How many items are at work at once; None for as many as blocks of an execution may be."""
    tolerance: Tolerance = Tolerance()
    inner: Map | None = None
    """A map over each item; None for the work itself."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Do the work again and again."""

    until: str
    """CEL over ``output`` and ``iteration`` as well: the loop ends after the round for which it is true."""
    max_iterations: int = 100
    """A loop that is not done by then fails."""


@dataclass(frozen=True, kw_only=True)
class SubWorkflow:
    """Run another template as the work; the block's configuration is its input."""

    template_id: str
    version: str | None = None
    """None for the latest that is published when the block begins."""


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Wait for a while, or until an instant; one of the two is given."""

    duration: timedelta | None = None
    until: str | None = None
    """RFC 3339, or a text with ``${CEL}`` that gives it."""


class SignalMode(StrEnum):
    """How many of the signals are waited for."""

    ANY = "any"
    ALL = "all"


class OnTimeout(StrEnum):
    """What becomes of a block whose signals did not come in time."""

    FAIL = "fail"
    CONTINUE = "continue"
    """It completes, and its output says ``timedOut``, which its branches can read."""


@dataclass(frozen=True, kw_only=True)
class SignalWait:
    """Wait for signals that somebody sends to the execution."""

    signals: tuple[str, ...]
    mode: SignalMode = SignalMode.ANY
    timeout: timedelta | None = None
    """None to wait for ever."""
    on_timeout: OnTimeout = OnTimeout.FAIL


class EndStatus(StrEnum):
    """How an execution ends that is ended by a block."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class End:
    """End the execution now, whatever else is going on in it."""

    status: EndStatus = EndStatus.COMPLETED
    message: str | None = None
    """Why, for people."""


class JoinMode(StrEnum):
    """How many of the edges into a block have to be satisfied before it begins."""

    ALL = "all"
    """It begins when all edges are decided, if one of them is satisfied."""
    ANY = "any"
    N = "n"


class Late(StrEnum):
    """What becomes of the work before a join that has begun without it."""

    IGNORE = "ignore"
    CANCEL = "cancel"
    """Whatever leads to this join alone is not begun any more, or is stopped."""


@dataclass(frozen=True, kw_only=True)
class JoinPolicy:
    """When a block with several edges into it begins."""

    mode: JoinMode = JoinMode.ALL
    count: int = 1
    """Satisfied edges that are needed; used with ``n``."""
    late: Late = Late.IGNORE

    @property
    def needed(self) -> int | None:
        """How many satisfied edges are enough; None if all edges have to be decided."""
        return {JoinMode.ALL: None, JoinMode.ANY: 1, JoinMode.N: self.count}[self.mode]


class FailureAction(StrEnum):
    """What the failure of a block means to its execution."""

    FAIL = "fail"
    CONTINUE = "continue"
    """What depends on the block begins as if it had completed, without an output."""
    BRANCH = "branch"
    """The blocks of a branch of its own begin, and what depends on the block is skipped."""


@dataclass(frozen=True, kw_only=True)
class FailurePolicy:
    """What happens when no retry mends a block, or a person rejects it."""

    action: FailureAction = FailureAction.FAIL
    next_blocks: tuple[str, ...] = ()
    """Of the branch; naming a block implies the edge to it."""


@dataclass(frozen=True, kw_only=True)
class Mutex:
    """A critical section: no more than so many blocks of all executions of a workspace are in it at once."""

    name: str
    """May hold ``${CEL}``."""
    permits: int = 1


def parse_tolerance(value: int | str | None) -> Tolerance:
    """Return what ``tolerateFailures`` says: a number of items, or a percentage such as ``10%``."""
    if isinstance(value, str):
        return Tolerance(percent=int(value[:-1]))
    return Tolerance(count=value or 0)


def parse_map(document: Mapping[str, Any] | None) -> Map | None:
    """Return a map and those within it; None for no document."""
    if not document:
        return None
    return Map(items=document["items"], name=document.get("as", "item"), max_parallel=document.get("maxParallel"),
               tolerance=parse_tolerance(document.get("tolerateFailures")), inner=parse_map(document.get("map")))
