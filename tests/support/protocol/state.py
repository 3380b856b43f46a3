"""A State Management Service that keeps its contract: late reports change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
