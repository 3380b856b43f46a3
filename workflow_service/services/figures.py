"""Figures: how much stands in the store and waits, at one moment, for those who watch the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from workflow_service.domain.statuses import BlockStatus, ExecutionStatus, WaitKind

MOST_COUNTED = 10_000
"""Nothing is counted beyond this, so that a look costs the same however much there is."""
MOST_READ = 300
"""Ages are those of so many blocks on their way: on MongoDB of those that are due first, else of any."""
LIVE = tuple(status for status in ExecutionStatus if not status.is_terminal)
"""The statuses whose executions are counted."""
ON_THEIR_WAY = (BlockStatus.READY, BlockStatus.RUNNING, BlockStatus.RETRY_WAIT)
"""The statuses whose blocks are counted."""
WAITED_FOR = (WaitKind.APPROVAL, WaitKind.AGENT)
"""What parked blocks are counted by."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What stands in the store, of all workspaces together."""

    executions: Mapping[ExecutionStatus, int]
    """Executions that have not ended, by status."""
    blocks: Mapping[BlockStatus, int]
    """Blocks on their way, by status."""
    oldest_ready: timedelta | None
    """For how long a ready block has been there that nobody claims; None if there is none."""
    due: Mapping[str, int]
    """Documents that the sweep must look at now: ``blocks``, ``executions``, ``waits``, ``approvals``."""
    parked: Mapping[WaitKind, int]
    """Blocks that wait and hold no worker, by what they wait for."""
    permit_waits: Mapping[str, int]
    """Blocks that wait for a permit, by its kind: ``mutex``, ``agent``."""
    approvals_pending: int
    """Requests that nobody has answered."""
    approvals_overdue: int
    """Those of them whose time is over."""
    checkpoints_waiting: int
    """Checkpoints that the State Management Service has not taken."""
    checkpoint_lag: timedelta | None
    """For how long the oldest of them has waited; None if there is none."""
    outbox_lag: timedelta | None
    """Of how long ago the oldest event of a block is that is not known to be in the history; None if there is none."""


class FigureSource(Protocol):
    """Counts, bounded in time and in how much it looks at, whatever there is."""

    def read(self) -> Figures:
        """Return the figures of this moment. Raises errors.Unavailable."""


def ready_for(due_at_left: timedelta, sent: int, lease: timedelta, most_doublings: int = 4) -> timedelta:
    """Return for how long a ready block has been there, as far as its next look of the sweep tells.

    The look comes one lease after the block became ready, and each time it was sent again one lease, then two, four ...
    after that. So it is exact until the block is sent again, and within the lateness of the sweeps after it.

    Args:
        due_at_left: the time until the next look; negative if that is late.
        sent: how often the sweep has sent the block.
        lease: the length of a lease.
        most_doublings: after so many the time between two looks does not grow any more.
    """
    leases: int = 1 + sum(2 ** min(number, most_doublings) for number in range(sent))
    return max(lease * leases - due_at_left, timedelta(0))
