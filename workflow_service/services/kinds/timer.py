"""Blocks that wait for time to pass, or for an instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflow_service.domain import expressions
from workflow_service.domain.agents import Completed, Failure, FailureClass
from workflow_service.domain.execution import stood_still
from workflow_service.domain.flow import Timer
from workflow_service.domain.instants import parse_instant
from workflow_service.domain.statuses import WaitKind
from workflow_service.domain.wait import Wait, time_is_over, wait_of
from workflow_service.services.kinds.kind import Turn
from workflow_service.services.ports import Clock, WaitRepository
from workflow_service.services.waits import verdict_of


class TimerKind:
    """Does ``wait`` blocks."""

    def __init__(self, waits: WaitRepository, clock: Clock) -> None:
        """Read what has fired from this repository."""
        self._waits = waits
        self._clock = clock

    def take(self, turn: Turn) -> Completed | Failure | Wait:
        """Complete if the time is over; an instant that is over already is not waited for."""
        told = None
        if turn.ours.parked_for is WaitKind.TIME:
            told = verdict_of(self._waits.get(turn.ours.workspace_id, wait_of(turn.ours, WaitKind.TIME).id))
        now = self._clock.now()
        deadline = now if told is not None else self._deadline(turn, now)
        if isinstance(deadline, Failure):
            return deadline
        if deadline <= now:
            return Completed(output=told or time_is_over(WaitKind.TIME, now))
        wait = wait_of(turn.ours, WaitKind.TIME, deadline=deadline, ask_at=deadline,
                       stopped_for=stood_still(turn.execution, now))
        return replace(wait, is_movable=_timer(turn).until is None)

    def _deadline(self, turn: Turn, now: datetime) -> datetime | Failure:
        timer = _timer(turn)
        if timer.duration is not None:
            return now + timer.duration
        said = expressions.resolve(timer.until, turn.variables)
        return parse_instant(said) or Failure(
            code="bad_instant", failure_class=FailureClass.CONFIGURATION,
            message=f"'until' is {str(said)[:100]!r}; it has to be an instant of RFC 3339 with its time zone.")


def _timer(turn: Turn) -> Timer:
    assert turn.block.wait is not None, "the kind of the block says so"
    return turn.block.wait
