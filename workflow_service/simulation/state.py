"""A State Management Service that knows the shared context and takes everything else without keeping it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from workflow_service.domain.changes import StateChanges
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint


class SimulatedState:
    """Implements ``ports.StateService``."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        """Know this context of every workspace."""
        self._context = context

    def put_play(self, execution: Execution) -> None:
        """Take it."""

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Take them."""

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Take it."""

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return none."""
        return ()

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the context."""
        return self._context

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return none."""
        return StateChanges(changes=(), next_cursor=after)
