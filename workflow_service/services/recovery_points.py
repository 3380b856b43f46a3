"""Recovery points: an execution's standing, told to the State Management Service at each park and once an interval."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import datetime

from workflow_service.domain.errors import WorkflowServiceError
from workflow_service.domain.recovery import recovery_point_of
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, StateService, StoredEvent
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

log = logging.getLogger(__name__)

_CAPACITY = 10_000


class RecoveryPoints:
    """An observer that makes recovery points; best effort, as each is only one of many."""

    def __init__(self, stores: Stores, plans: Plans, state: StateService, clock: Clock, timings: Timings) -> None:
        """Make points of executions in these stores."""
        self._stores = stores
        self._plans = plans
        self._state = state
        self._clock = clock
        self._timings = timings
        self._last: OrderedDict[str, datetime] = OrderedDict()

    def notice(self, stored: StoredEvent) -> None:
        """Make a point when a block parks, and when one completes and the last point is an interval old."""
        event = stored.event
        if event.type == "block_parked" or (event.type == "block_completed" and self._is_time(event.execution_id)):
            self._make(event.workspace_id, event.execution_id)

    def _is_time(self, execution_id: str) -> bool:
        """Say whether an interval has passed; the first event of an execution only starts the clock."""
        now = self._clock.now()
        last = self._last.get(execution_id)
        if last is None:
            self._remember(execution_id, now)
        return last is not None and now - last >= self._timings.recovery_point_interval

    def _remember(self, execution_id: str, at: datetime) -> None:
        self._last[execution_id] = at
        self._last.move_to_end(execution_id)
        if len(self._last) > _CAPACITY:
            self._last.popitem(last=False)

    def _make(self, workspace_id: str, execution_id: str) -> None:
        now = self._clock.now()
        self._remember(execution_id, now)
        execution = self._stores.executions.get(workspace_id, execution_id)
        if execution is None:
            return
        names = [node_id for node_id, node in self._plans.of(execution).nodes.items() if not node.is_join]
        found = self._stores.blocks.get_all(workspace_id, execution_id, names)
        try:
            self._state.put_recovery_point(recovery_point_of(execution, tuple(found), now))
        except WorkflowServiceError as error:
            log.warning("no recovery point of %s: %s", execution_id, error)
