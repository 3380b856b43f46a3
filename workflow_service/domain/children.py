"""Child executions: what a block runs that is a map, a loop or another workflow.

Each item of a map, each round of a loop and each sub-workflow is an execution of its own. So it has its own status,
history, retries, approvals and recovery, there is no document or message that grows with the number of items, and the
protocol of blocks needs to know nothing of any of it. Its id follows from its parent's block, epoch and its place among
its siblings, so it is started once.

The items of a map are worked on in **lanes**: of ``n`` lanes, lane ``k`` has the items ``k``, ``k + n``, ``k + 2n`` and
so on, one after the other; whoever ends an item begins the next of its lane. Nobody counts what is at work, so nothing
can be counted twice, and no more than ``n`` items ever are. The block's wait knows which lanes are open and fires when
the last is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from workflow_service.domain.flow import Tolerance

MAX_DEPTH = 8
"""Executions above a child."""
_MOST_ERRORS = 20
"""Of failed items, kept with the wait; the others are told by the items themselves."""


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The block that an execution is a part of."""

    execution_id: str
    block_id: str
    epoch: int
    index: int
    """Its place among the children of this block, from 0."""
    round: int = 0
    """Which of the block's waits for children waits for it: that of its own in a loop, else the only one."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a child runs that is no template of its own: one block of its parent's template."""

    block_id: str
    level: int
    """How many of the block's maps are outside of it."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """How far the children of a block have come that are there for one wait."""

    first: int
    """The index of the first child."""
    total: int
    lanes: int
    """How many are at work at once."""
    open_lanes: tuple[int, ...]
    tolerance: Tolerance = Tolerance()
    version: str | None = None
    """The version of the template that they run, if it is one of their own."""
    begun: bool = False
    """True once all lanes have begun."""
    failed: tuple[int, ...] = ()
    """The indexes of those that did not end well."""
    errors: Mapping[str, Any] | None = None
    """Of the first of them: index -> error."""

    @property
    def goes_on(self) -> bool:
        """True while further children are to be started."""
        return self.tolerance.allows(len(self.failed), self.total)

    def lane_of(self, index: int) -> int:
        """Return the lane of a child."""
        return (index - self.first) % self.lanes

    def after(self, index: int) -> int | None:
        """Return the next child of a lane; None if this was its last."""
        following = index + self.lanes
        return following if following < self.first + self.total else None

    def in_lane(self, lane: int) -> range:
        """Return the children of a lane in their order."""
        return range(self.first + lane, self.first + self.total, self.lanes)


def new_round(first: int, total: int, lanes: int, tolerance: Tolerance = Tolerance(),
              version: str | None = None) -> Round:
    """Return the round of children none of which has begun."""
    lanes = min(lanes, total)
    return Round(first=first, total=total, lanes=lanes, open_lanes=tuple(range(lanes)), tolerance=tolerance,
                 version=version)


def ended_well(a_round: Round, index: int) -> Round:
    """Note that a child ended well, also if it failed before and was restarted."""
    if index not in a_round.failed:
        return a_round
    errors = {name: error for name, error in (a_round.errors or {}).items() if name != str(index)}
    return replace(a_round, failed=tuple(one for one in a_round.failed if one != index), errors=errors)


def ended_badly(a_round: Round, index: int, error: Mapping[str, Any]) -> Round:
    """Note that a child did not end well."""
    if index in a_round.failed:
        return a_round
    known = a_round.errors or {}
    errors = known if len(known) >= _MOST_ERRORS else {**known, str(index): dict(error)}
    return replace(a_round, failed=tuple(sorted((*a_round.failed, index))), errors=errors)


def close_lane(a_round: Round, lane: int) -> Round:
    """Note that nothing more begins in a lane."""
    return replace(a_round, open_lanes=tuple(one for one in a_round.open_lanes if one != lane))


def child_id(parent: Parent) -> str:
    """Return the one possible id of a child."""
    return uuid5(NAMESPACE_URL, f"child:{parent.execution_id}:{parent.block_id}:{parent.epoch}:{parent.index}").hex
