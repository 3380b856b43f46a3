"""Deadlines of waits: timers that are over, and signals that did not come in time.

A deadline stands still while those of its execution do, unless it is an instant of the calendar.
"""

from __future__ import annotations

from datetime import timedelta

from workflow_service.domain.execution import Execution, stood_still
from workflow_service.domain.statuses import WaitKind
from workflow_service.domain.wait import Wait, moved_deadline, time_is_over
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.services.waits import Waits

TIMED = frozenset({WaitKind.TIME, WaitKind.SIGNAL})
"""Kinds of waits that end by themselves when their deadline is over."""
_SELDOM = 16
"""So many leases the sweep waits before it looks again at a deadline that stands still."""


class Deadlines:
    """Watches the deadlines of open waits."""

    def __init__(self, stores: Stores, waits: Waits, finisher: Finisher, clock: Clock, timings: Timings) -> None:
        """Watch the waits of these stores."""
        self._stores = stores
        self._waits = waits
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def look_at(self, wait: Wait) -> None:
        """Fire an open wait for which all signals are there, or whose deadline is over; else look when it may be."""
        if self._waits.look_for_signals(wait):
            return
        execution = self._stores.executions.get(wait.workspace_id, wait.execution_id)
        if execution is None or wait.deadline is None:
            self._finisher.rest(wait)
            return
        left = self._left(wait, execution)
        if left <= timedelta(0):
            self._waits.fire(wait, time_is_over(wait.kind, self._clock.now()))
        else:
            self._look_after(wait, execution, left)

    def go_on(self, execution: Execution) -> None:
        """See to it that deadlines are looked at in time, now that they go on again."""
        if execution.stopped_since is not None or not execution.stopped_for:
            return
        for wait in self._stores.waits.open_of(execution.workspace_id, execution.execution_id):
            if wait.kind in TIMED and wait.deadline is not None and wait.is_movable:
                self._look_after(wait, execution, self._left(wait, execution))

    def _left(self, wait: Wait, execution: Execution) -> timedelta:
        now = self._clock.now()
        deadline = moved_deadline(wait, stood_still(execution, now))
        assert deadline is not None, "only waits with a deadline are asked for it"
        return deadline - now

    def _look_after(self, wait: Wait, execution: Execution, left: timedelta) -> None:
        stands_still = wait.is_movable and execution.stopped_since is not None
        self._finisher.relay(wait)
        self._waits.look_again(wait, max(left, self._timings.lease * _SELDOM) if stands_still else left)
