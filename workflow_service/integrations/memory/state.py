"""A State Management Service in memory. It keeps the promises of the contract: late reports change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Condition
from typing import Any

from workflow_service.domain.changes import StateChange, StateChanges
from workflow_service.domain.errors import Invalid, Issue, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.integrations import json_text
from workflow_service.integrations.state_documents import checkpoint_document, play_document, recovery_point_document

_Key = tuple[str, str]
_MOST_CHANGES = 1000


def _now() -> datetime:
    return datetime.now(UTC)


class InMemoryStateService:
    """Implements ``ports.StateService``, and shows what it was told."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        """Begin with nothing.

        Args:
            now: when a change is made.
        """
        self._now = now
        self._changed = Condition()
        self._plays: dict[_Key, Execution | None] = {}
        self._blocks: dict[tuple[_Key, str], Checkpoint] = {}
        self._points: dict[tuple[_Key, str], RecoveryPoint] = {}
        self._contexts: dict[str, Mapping[str, Any]] = {}
        self._changes: list[StateChange] = []
        self._batch_sizes: list[int] = []
        self._is_available = True

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many checkpoints came in each call that was taken."""
        with self._changed:
            return tuple(self._batch_sizes)

    def set_available(self, is_available: bool) -> None:
        """Let the service be there or not."""
        with self._changed:
            self._is_available = is_available

    def set_context(self, workspace_id: str, context: Mapping[str, Any], source: str = "somebody") -> None:
        """Let somebody else change the shared context of a workspace."""
        with self._changed:
            self._contexts[workspace_id] = json_text.decode(json_text.encode(context))
            self._log("context", workspace_id, None, source=source)

    def play(self, workspace_id: str, execution_id: str) -> Execution | None:
        """Return the execution as it was told last; None if it was not."""
        with self._changed:
            return self._plays.get((workspace_id, execution_id))

    def block(self, workspace_id: str, execution_id: str, block_id: str) -> Checkpoint | None:
        """Return the block as it was told last; None if it was not."""
        with self._changed:
            return self._blocks.get(((workspace_id, execution_id), block_id))

    def recovery_points(self, workspace_id: str, execution_id: str) -> tuple[RecoveryPoint, ...]:
        """Return the points of an execution, the oldest first; none if it knows none. Raises errors.Unavailable."""
        with self._changed:
            self._check_available()
            found = [point for (play, _), point in self._points.items() if play == (workspace_id, execution_id)]
        return tuple(sorted(found, key=lambda point: point.timestamp))

    def put_play(self, execution: Execution) -> None:
        """Tell it of an execution; an older version changes nothing. Raises errors.Unavailable."""
        key = (execution.workspace_id, execution.execution_id)
        with self._changed:
            self._check_available()
            _refuse(_fault(execution.execution_id, play_document(execution)))
            known = self._plays.get(key)
            if known is not None and known.version > execution.version:
                return
            self._plays[key] = execution
            if known is None or play_document(known) != play_document(execution):
                self._log("play", *key)

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Tell it of many blocks in one call; late ones change nothing. Raises errors.Unavailable."""
        with self._changed:
            self._check_available()
            faults: list[Issue] = []
            for checkpoint in checkpoints:
                name = f"{checkpoint.execution_id}:{checkpoint.block_id}"
                fault = _fault(name, checkpoint_document(checkpoint))
                faults += fault
                if not fault:
                    self._record(checkpoint)
            if checkpoints:
                self._batch_sizes.append(len(checkpoints))
            _refuse(faults)

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Store a point from which an execution may start again. Raises errors.Unavailable."""
        play = (point.workspace_id, point.execution_id)
        with self._changed:
            self._check_available()
            _refuse(_fault(point.point_id, recovery_point_document(point)))
            self._ensure(play)
            if self._points.get((play, point.point_id)) != point:
                self._points[play, point.point_id] = point
                self._log("recovery_point", *play)

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the shared context of a workspace; empty if nobody wrote to it. Raises errors.Unavailable."""
        with self._changed:
            self._check_available()
            return dict(self._contexts.get(workspace_id, {}))

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return up to 1000 changes after a cursor, waiting for one if there is none yet. Raises errors.Unavailable."""
        with self._changed:
            self._check_available()
            if after <= len(self._changes):
                self._changed.wait_for(lambda: len(self._changes) > after, wait.total_seconds())
            found = tuple(self._changes[after:after + _MOST_CHANGES])
            return StateChanges(changes=found, next_cursor=min(after + len(found), len(self._changes)))

    def _record(self, checkpoint: Checkpoint) -> None:
        play = (checkpoint.workspace_id, checkpoint.execution_id)
        self._ensure(play)
        known = self._blocks.get((play, checkpoint.block_id))
        if known is None or (checkpoint.epoch, checkpoint.fence) > (known.epoch, known.fence):
            self._blocks[play, checkpoint.block_id] = checkpoint
            self._log("block", *play, checkpoint.block_id)

    def _ensure(self, play: _Key) -> None:
        """Know of a play whose parts are told before itself."""
        if play not in self._plays:
            self._plays[play] = None
            self._log("play", *play)

    def _log(self, kind: str, workspace_id: str, execution_id: str | None, block_id: str | None = None,
             source: str = "engine") -> None:
        self._changes.append(StateChange(
            cursor=len(self._changes) + 1, workspace_id=workspace_id, execution_id=execution_id, block_id=block_id,
            kind=kind, at=self._now(), source=source))
        self._changed.notify_all()

    def _check_available(self) -> None:
        if not self._is_available:
            raise Unavailable("The State Management Service")


def _fault(name: str, document: Mapping[str, Any]) -> list[Issue]:
    """Return what keeps a report from going over a wire, if anything does."""
    try:
        json_text.encode(document)
    except ValueError as error:
        return [Issue(path=name, code="refused_report", message=str(error))]
    return []


def _refuse(faults: Sequence[Issue]) -> None:
    if faults:
        raise Invalid("The State Management Service refuses these reports.", faults)
