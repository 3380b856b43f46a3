"""A breaker before the State Management Service: while it is away nobody waits for it again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from workflow_service.domain.changes import StateChanges
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.integrations.breaker import Breaker
from workflow_service.services.ports import StateService

T = TypeVar("T")


class StateBreaker:
    """Implements ``ports.StateService`` by another one; after a failure it fails at once for a while."""

    def __init__(self, service: StateService, breaker: Breaker) -> None:
        """Stand before a service."""
        self._service = service
        self._breaker = breaker

    def put_play(self, execution: Execution) -> None:
        """Tell it of an execution."""
        self._asked(lambda: self._service.put_play(execution))

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Tell it of many blocks."""
        self._asked(lambda: self._service.checkpoint(checkpoints))

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Store a recovery point."""
        self._asked(lambda: self._service.put_recovery_point(point))

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return the points of an execution."""
        return self._asked(lambda: self._service.recovery_points(workspace_id, execution_id))

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the shared context of a workspace."""
        return self._asked(lambda: self._service.context(workspace_id))

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return what changed."""
        return self._asked(lambda: self._service.changes(after, wait))

    def _asked(self, call: Callable[[], T]) -> T:
        if self._breaker.is_open:
            raise Unavailable("The State Management Service")
        try:
            return call()
        except Unavailable:
            self._breaker.trip()
            raise
