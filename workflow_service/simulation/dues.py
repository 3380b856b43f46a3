"""When the time has to stop next: what is due in the stores of a simulation.

Most of what the stores call due is repair of what a worker lost, and here nothing is lost. What will really happen is
told apart, so that time may pass over the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflow_service.domain.statuses import ApprovalStatus, BlockStatus
from workflow_service.simulation.recording import (
    RecordedApprovals,
    RecordedBlocks,
    RecordedExecutions,
    RecordedWaits,
)


@dataclass(frozen=True, kw_only=True)
class Dues:
    """The instants at which something is due."""

    certain: tuple[datetime, ...]
    """Retries, timers, time-outs, and the first escalation of each question."""
    endless: tuple[datetime, ...]
    """Further escalations: they bring no answer, and there is always another one."""
    repairs: tuple[datetime, ...]
    """Looks at what may have been lost."""

    def next_certain(self, now: datetime, again_after: timedelta) -> datetime | None:
        """Return when something happens next; None if nothing will.

        Args:
            again_after: until what was due, and could not be done, is tried again.
        """
        later = [at for at in self.certain if at > now]
        if len(later) < len(self.certain):
            later.append(now + again_after)
        return _first([*later, *(at for at in self.endless if at > now)]) if later else None

    def next_repair(self, now: datetime) -> datetime | None:
        """Return when there is a look next at what may have been lost; None if there is none."""
        return _first([at for at in self.repairs if at > now])


def _first(instants: list[datetime]) -> datetime | None:
    return sorted(instants)[0] if instants else None


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Reads the stores of a simulation."""

    executions: RecordedExecutions
    blocks: RecordedBlocks
    waits: RecordedWaits
    approvals: RecordedApprovals

    def dues(self, noted: datetime | None) -> Dues:
        """Return what is due some day.

        Args:
            noted: when something happens next that the stores do not know of; None if nothing will.
        """
        pending = [approval for approval in self.approvals.scheduled() if approval.status is ApprovalStatus.PENDING]
        return Dues(certain=(*self._certain(), *([] if noted is None else [noted])),
                    endless=tuple(one.overdue_at for one in pending if one.escalation_level),
                    repairs=tuple(self._repairs()))

    def _certain(self) -> Iterator[datetime]:
        yield from (one.deadline for one in self.executions.scheduled() if one.deadline is not None)
        yield from (one.due_at for one in self.waits.scheduled() if one.due_at is not None)
        yield from (one.due_at for one in self.blocks.scheduled()
                    if one.due_at is not None and one.status is BlockStatus.RETRY_WAIT)
        yield from (one.overdue_at for one in self.approvals.scheduled()
                    if one.status is ApprovalStatus.PENDING and not one.escalation_level)

    def _repairs(self) -> Iterator[datetime]:
        yield from (one.due_at for one in self.executions.scheduled() if one.due_at is not None)
        yield from (one.due_at for one in self.blocks.scheduled() if one.due_at is not None
                    and one.status not in (BlockStatus.RETRY_WAIT, BlockStatus.RUNNING))
        yield from (one.due_at for one in self.approvals.scheduled()
                    if one.due_at is not None and one.status is not ApprovalStatus.PENDING)
