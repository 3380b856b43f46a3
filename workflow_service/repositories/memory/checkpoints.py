"""Checkpoints that the State Management Service has not taken yet, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.recovery import Checkpoint
from workflow_service.repositories.memory.stored_values import as_stored
from workflow_service.services.ports import Clock


class CheckpointsInMemory:
    """The checkpoints port."""

    def __init__(self, clock: Clock) -> None:
        """Start empty.

        Args:
            clock: says since when a block's checkpoints are kept.
        """
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Checkpoint]] = {}
        self._lock = Lock()

    def add(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints; a later one of the same block takes the place, and the age, of an earlier one."""
        now = self._clock.now()
        with self._lock:
            for checkpoint in checkpoints:
                since, stored = self._kept.get(_key(checkpoint), (now, checkpoint))
                if (stored.epoch, stored.fence) <= (checkpoint.epoch, checkpoint.fence):
                    self._kept[_key(checkpoint)] = since, as_stored(checkpoint)

    def oldest(self, limit: int) -> Sequence[Checkpoint]:
        """Return up to ``limit`` of them, the longest kept first."""
        with self._lock:
            ordered = sorted(self._kept.items(), key=lambda entry: (entry[1][0], entry[0]))
            return [as_stored(checkpoint) for _, (_, checkpoint) in ordered[:limit]]

    def remove(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Forget exactly these; a later one of the same block stays."""
        with self._lock:
            for checkpoint in checkpoints:
                _, stored = self._kept.get(_key(checkpoint), (None, None))
                if stored is not None and _moment(stored) == _moment(checkpoint):
                    del self._kept[_key(checkpoint)]

    def lag(self, at: datetime) -> timedelta | None:
        """Return how long the oldest one has been waiting; None if there is none."""
        with self._lock:
            return max((at - since for since, _ in self._kept.values()), default=None)


def _key(checkpoint: Checkpoint) -> str:
    return block_execution_id(checkpoint.execution_id, checkpoint.block_id)


def _moment(checkpoint: Checkpoint) -> tuple[str, int, int, str]:
    return checkpoint.workspace_id, checkpoint.epoch, checkpoint.fence, checkpoint.status
