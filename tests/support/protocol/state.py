"""A State Management Service that keeps its contract: late reports change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.changes import StateChange, StateChanges
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint


class StateInMemory:
    """The state service port."""

    def __init__(self) -> None:
        """Start empty."""
        self.plays: dict[str, Execution] = {}
        self.blocks: dict[tuple[str, str], Checkpoint] = {}
        self.shared: dict[str, Any] = {}
        self._points: list[RecoveryPoint] = []
        self._changes: list[StateChange] = []

    def put_play(self, execution: Execution) -> None:
        """Store a play; an older version is too late."""
        stored = self.plays.get(execution.execution_id)
        if stored is None or execution.version >= stored.version:
            self.plays[execution.execution_id] = execution

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Store checkpoints; a pair (epoch, fence) that is not greater is too late."""
        for one in checkpoints:
            stored = self.blocks.get((one.execution_id, one.block_id))
            if stored is None or (one.epoch, one.fence) > (stored.epoch, stored.fence):
                self.blocks[one.execution_id, one.block_id] = one

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Store a point."""
        self._points.append(point)

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return the points of an execution."""
        return [point for point in self._points if point.execution_id == execution_id]

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the shared context."""
        return dict(self.shared)

    def note_progress(self, workspace_id: str, execution_id: str, block_id: str, at: datetime) -> None:
        """Let an agent write that it has gone on with a block."""
        self._changes.append(StateChange(cursor=len(self._changes) + 1, workspace_id=workspace_id, source="agent",
                                         execution_id=execution_id, block_id=block_id, kind="progress", at=at))

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return what agents wrote after a cursor; beyond the end, where the end is."""
        found = tuple(change for change in self._changes if change.cursor > after)
        return StateChanges(changes=found, next_cursor=len(self._changes))
