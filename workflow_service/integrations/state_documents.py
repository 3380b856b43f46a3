"""What we tell the State Management Service, and what it tells us, as the JSON of its contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workflow_service.domain.changes import StateChange, StateChanges
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint


def instant_text(at: datetime) -> str:
    """Return an aware instant as RFC 3339 text in UTC, cut to milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def play_document(execution: Execution) -> dict[str, Any]:
    """Return the report of an execution."""
    return _without_none({
        "templateId": execution.template_id, "templateVersion": execution.template_version,
        "status": execution.status.value, "createdBy": execution.created_by,
        # the contract knows no play that has not started; ours is about to
        "startedAt": instant_text(execution.started_at or execution.created_at),
        "completedAt": _optional_instant(execution.completed_at), "input": execution.input,
        "context": execution.context,
        # a total order of what we tell: of two reports the one of the later version stands
        "generation": execution.version})


def checkpoint_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the report of a block."""
    return _without_none({
        "workspaceId": checkpoint.workspace_id, "executionId": checkpoint.execution_id,
        "blockId": checkpoint.block_id, "epoch": checkpoint.epoch, "fence": checkpoint.fence,
        "status": checkpoint.status.value, "agentId": checkpoint.agent_id, "input": checkpoint.input,
        "output": checkpoint.output, "error": checkpoint.error, "retryCount": checkpoint.retry_count,
        "startedAt": _optional_instant(checkpoint.started_at),
        "completedAt": _optional_instant(checkpoint.completed_at)})


def recovery_point_document(point: RecoveryPoint) -> dict[str, Any]:
    """Return the report of a recovery point."""
    return {"timestamp": instant_text(point.timestamp), "state": point.state,
            "completedBlocks": list(point.completed_blocks)}


def recovery_points_of(body: Any, workspace_id: str, execution_id: str) -> tuple[RecoveryPoint, ...]:
    """Return the recovery points from the answer. Raises ValueError for an answer that is none."""
    try:
        found = [RecoveryPoint(
            point_id=_checked(entry["pointId"], str), workspace_id=workspace_id, execution_id=execution_id,
            timestamp=_instant(entry["timestamp"]), state=_checked(entry["state"], dict),
            completed_blocks=tuple(_checked(block_id, str) for block_id in _checked(entry["completedBlocks"], list)))
            for entry in body["recoveryPoints"]]
    except (KeyError, TypeError) as error:
        raise ValueError("no recovery points in it") from error
    return tuple(sorted(found, key=lambda point: point.timestamp))


def context_of(body: Any) -> Mapping[str, Any]:
    """Return the context of a workspace from the answer. Raises ValueError for an answer that is none."""
    context = body.get("context") if isinstance(body, dict) else None
    if not isinstance(context, dict):
        raise ValueError("no context in it")
    return context


def changes_of(body: Any) -> StateChanges:
    """Return the changes from the answer. Raises ValueError for an answer that is none."""
    try:
        return StateChanges(changes=tuple(_change(entry) for entry in body["changes"]),
                            next_cursor=_checked(body["next"], int))
    except (KeyError, TypeError) as error:
        raise ValueError("no changes in it") from error


def _change(entry: Mapping[str, Any]) -> StateChange:
    return StateChange(
        cursor=_checked(entry["cursor"], int), workspace_id=_checked(entry["workspaceId"], str),
        execution_id=_checked(entry.get("executionId"), str | None),
        block_id=_checked(entry.get("blockId"), str | None), kind=_checked(entry["kind"], str),
        at=_instant(entry["at"]), source=_checked(entry["source"], str))


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(_checked(text, str))
    if at.tzinfo is None:
        raise ValueError("an instant without an offset")
    return at


def _checked(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError("not of the kind that the contract says")
    return value


def _optional_instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
