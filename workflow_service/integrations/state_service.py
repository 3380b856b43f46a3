"""The State Management Service over HTTP. Its contract is ``docs/contracts/state-service.yaml``.

A service that is down is ``Unavailable``: tell it again later. A report that it refuses because of what stands in it
is ``Invalid``: telling it again can't help. One such checkpoint must not keep back those that are sent with it, so a
batch that is refused is halved until the guilty ones stand alone; all others are recorded before ``Invalid`` is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from workflow_service.domain.changes import StateChanges
from workflow_service.domain.errors import Invalid, Issue, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.recovery import Checkpoint, RecoveryPoint
from workflow_service.integrations import json_text
from workflow_service.integrations.http import JsonClient
from workflow_service.integrations.http_errors import CallFailed, Refused
from workflow_service.integrations.state_documents import (
    changes_of,
    checkpoint_document,
    context_of,
    play_document,
    recovery_point_document,
    recovery_points_of,
)

T = TypeVar("T")
LARGEST_BATCH = 1000
"""How many checkpoints the contract allows in one call."""
LARGEST_BODY = 8 * 1024 * 1024
"""In bytes; the contract allows four times as much."""
LONGEST_WAIT = timedelta(seconds=10)
"""How long the contract lets a reader of changes wait."""
_MOST_CHANGES = 1000
_SERVICE = "The State Management Service"


class _RefusedReport(Exception):
    """Raised when the service refuses a report because of what stands in it."""


@dataclass(frozen=True, kw_only=True)
class _Report:
    """One checkpoint, written down."""

    name: str
    content: bytes


class HttpStateService:
    """Implements ``ports.StateService``."""

    def __init__(self, client: JsonClient, *, largest_body: int = LARGEST_BODY) -> None:
        """Take the connection.

        Args:
            client: of the State Management Service; its time-out holds for every call.
            largest_body: how many bytes of checkpoints go into one call, unless one alone is larger.
        """
        self._client = client
        self._largest_body = largest_body

    def put_play(self, execution: Execution) -> None:
        """Tell it of an execution.

        Raises:
            Unavailable: it does not answer as it should.
            Invalid: it refuses this execution.
        """
        path = _play_path(execution.workspace_id, execution.execution_id)
        self._put(path, play_document(execution), execution.execution_id)

    def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Tell it of many blocks, in as few calls as its limits allow.

        Raises:
            Unavailable: it does not answer as it should; some may be recorded.
            Invalid: it refuses some of them, which the issues name; all others are recorded.
        """
        issues: list[Issue] = []
        reports = []
        for checkpoint in checkpoints:
            name = f"{checkpoint.execution_id}:{checkpoint.block_id}"
            try:
                reports.append(_Report(name=name, content=json_text.encode(checkpoint_document(checkpoint))))
            except ValueError as error:
                issues.append(_issue(name, error))
        for batch in _batches(reports, self._largest_body):
            issues.extend(self._record(batch))
        if issues:
            raise Invalid(f"{_SERVICE} refuses these checkpoints.", issues)

    def put_recovery_point(self, point: RecoveryPoint) -> None:
        """Store a point from which an execution may start again.

        Raises:
            Unavailable: it does not answer as it should.
            Invalid: it refuses this point.
        """
        path = f"{_play_path(point.workspace_id, point.execution_id)}/recovery-points/{quote(point.point_id, safe='')}"
        self._put(path, recovery_point_document(point), point.point_id)

    def recovery_points(self, workspace_id: str, execution_id: str) -> Sequence[RecoveryPoint]:
        """Return the points of an execution, the oldest first; none if it knows none. Raises errors.Unavailable."""
        return self._read(f"{_play_path(workspace_id, execution_id)}/recovery-points",
                          lambda body: recovery_points_of(body, workspace_id, execution_id), if_not_found=())

    def context(self, workspace_id: str) -> Mapping[str, Any]:
        """Return the shared context of a workspace; empty if nobody wrote to it. Raises errors.Unavailable."""
        return self._read(f"/workspaces/{quote(workspace_id, safe='')}/context", context_of)

    def changes(self, after: int, wait: timedelta) -> StateChanges:
        """Return up to 1000 changes after a cursor.

        Args:
            after: the cursor up to which all is known; 0 for none.
            wait: how long to wait for a change if there is none yet; no more than ten seconds are taken.

        Raises:
            Unavailable: it does not answer as it should.
        """
        patience = min(wait, LONGEST_WAIT)
        query = {"after": after, "limit": _MOST_CHANGES, "waitMs": patience // timedelta(milliseconds=1)}
        return self._read("/changes", changes_of, query=query, timeout=patience + self._client.timeout)

    def _read(self, path: str, meaning: Callable[[Any], T], *, query: Mapping[str, str | int] | None = None,
              timeout: timedelta | None = None, if_not_found: T | None = None) -> T:
        """Return what an answer means.

        Args:
            if_not_found: what it means that the service has no such thing; None if that can't be.
        """
        try:
            return meaning(self._client.call("GET", path, query=query, timeout=timeout).body)
        except (CallFailed, ValueError) as error:
            if if_not_found is not None and isinstance(error, Refused) and _is_not_found(error):
                return if_not_found
            raise Unavailable(_SERVICE) from error

    def _put(self, path: str, document: Mapping[str, Any], name: str) -> None:
        try:
            self._write("PUT", path, json_text.encode(document), correlation_id=name)
        except (_RefusedReport, ValueError) as error:
            raise Invalid(f"{_SERVICE} refuses this report.", [_issue(name, error)]) from error

    def _record(self, batch: Sequence[_Report]) -> list[Issue]:
        """Record a batch; return what is wrong with those that are refused."""
        content = b'{"checkpoints":[' + b",".join(report.content for report in batch) + b"]}"
        try:
            self._write("POST", "/checkpoints", content)
        except _RefusedReport as error:
            if len(batch) == 1:
                return [_issue(batch[0].name, error)]
            half = len(batch) // 2
            return self._record(batch[:half]) + self._record(batch[half:])
        return []

    def _write(self, method: str, path: str, content: bytes, correlation_id: str | None = None) -> None:
        try:
            self._client.call(method, path, content=content, correlation_id=correlation_id)
        except Refused as error:
            if _is_about_the_content(error):
                raise _RefusedReport(_reason(error)) from error
            raise Unavailable(_SERVICE) from error
        except CallFailed as error:
            raise Unavailable(_SERVICE) from error


def _is_about_the_content(error: Refused) -> bool:
    """Say whether it is the report that is wrong, and not the address, the rights or the service."""
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    return error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY) and error.error is not None


def _is_not_found(error: Refused) -> bool:
    """Say whether it is the thing that is missing, and not the whole service at this address."""
    return error.status == HTTPStatus.NOT_FOUND and error.error is not None and error.error["code"] == "not_found"


def _reason(error: Refused) -> str:
    message = (error.error or {}).get("message")
    return message if isinstance(message, str) else str(error)


def _issue(name: str, error: Exception) -> Issue:
    return Issue(path=name, code="refused_report", message=str(error))


def _batches(reports: Sequence[_Report], largest_body: int) -> Iterator[list[_Report]]:
    """Cut the reports into bodies that the service takes."""
    batch: list[_Report] = []
    size = 0
    for report in reports:
        if batch and (len(batch) == LARGEST_BATCH or size + len(report.content) > largest_body):
            yield batch
            batch, size = [], 0
        batch.append(report)
        size += len(report.content)
    if batch:
        yield batch


def _play_path(workspace_id: str, execution_id: str) -> str:
    return f"/workspaces/{quote(workspace_id, safe='')}/plays/{quote(execution_id, safe='')}"
