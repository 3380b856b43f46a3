"""The driver of the service: starts executions by the use cases that the API calls, or over the API itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo

from benchmarks.client import WORKSPACE, Client
from benchmarks.engine import addresses, our_app
from benchmarks.engine.driving import Ends, Timing, serve
from benchmarks.engine.template import template_document, template_id
from benchmarks.engine.workloads import shape_of
from tasks.dispatch import CeleryDispatcher
from workflow_service.background import Background
from workflow_service.bootstrap import build
from workflow_service.config import load_settings
from workflow_service.domain.commands import ApprovalFilter, RespondToApproval, StartExecution
from workflow_service.domain.errors import AlreadyExists
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.repositories.mongo import approvals, blocks, executions, waits

_USER = User(name="benchmark", role="admin", workspace_id=WORKSPACE)
_PAUSE_S = 0.02
_POLL_S = 0.05
_SETTLED_WITHIN = timedelta(seconds=60)
_FAR = datetime(9000, 1, 1, tzinfo=UTC)
_RESTED = (blocks.COLLECTION, executions.COLLECTION, waits.COLLECTION, approvals.COLLECTION)


class OurDriver:
    """Starts executions."""

    def __init__(self) -> None:
        """Build the service, and start its threads."""
        settings = load_settings()
        self._application = build(settings, CeleryDispatcher())
        self._background = Background(self._application.engine)
        self._background.start()
        self._ends = Ends(addresses.address(addresses.BROKER))
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(settings.mongodb.url)
        self._database = client.get_default_database()
        self._client = Client(addresses.address(addresses.WEB), settings.security.jwt_secret or "")
        self._made: set[str] = set()
        self._approvals: list[str] = []

    def run(self, shape: str, count: int) -> Timing:
        """Run executions of a shape."""
        self._make(shape)
        self._ends.forget()
        began = time.perf_counter()
        self._start(shape, count)
        submitted = time.perf_counter() - began
        self._await_ends(count)
        return Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)

    def starts(self, count: int) -> Sequence[float]:
        """Return how long each start over the API took, in seconds."""
        self._make("told")
        self._ends.forget()
        body = {"templateId": template_id(shape_of("told")), "workspaceId": WORKSPACE}
        return [self._started(body) for _ in range(count)]

    def park(self, count: int) -> Timing:
        """Run executions until they wait for a person."""
        self._make("gate")
        self._ends.forget()
        began = time.perf_counter()
        self._start("gate", count)
        submitted = time.perf_counter() - began
        self._ends.wait(addresses.PARKED, count)
        timing = Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)
        found = self._application.approvals.pending(_USER, ApprovalFilter(limit=2 * count))
        self._approvals = [approval.approval_id for approval in found]
        return timing

    def resume(self) -> Timing:
        """Answer all requests, one after the other."""
        began = time.perf_counter()
        for approval_id in self._approvals:
            self._application.approvals.respond(_USER, RespondToApproval(approval_id=approval_id, approved=True))
        submitted = time.perf_counter() - began
        self._await_ends(len(self._approvals))
        return Timing(submitted_s=submitted, ended_s=time.perf_counter() - began)

    def settle(self) -> None:
        """Wait until every document is at rest; those of parked executions have a deadline and are left out."""
        deadline = time.monotonic() + _SETTLED_WITHIN.total_seconds()
        while not self._is_settled():
            if time.monotonic() > deadline:
                raise TimeoutError("Not everything came to rest.")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End the threads."""
        self._background.stop()

    def _is_settled(self) -> bool:
        return all(self._database[name].find_one({"dueAt": {"$lt": _FAR}}, {"_id": 1}) is None for name in _RESTED)

    def _make(self, shape: str) -> None:
        if shape not in self._made:
            with suppress(AlreadyExists):  # by an earlier driver of the same mode
                self._application.templates.create(_USER, template_document(shape_of(shape)))
            self._made.add(shape)

    def _start(self, shape: str, count: int) -> None:
        command = StartExecution(template_id=template_id(shape_of(shape)), workspace_id=WORKSPACE)
        for _ in range(count):
            self._application.executions.start(_USER, command)

    def _started(self, body: dict[str, str]) -> float:
        time.sleep(_PAUSE_S)
        began = time.time()
        answer = self._client.post("/executions", body)
        answer.raise_for_status()
        told = float(self._ends.wait(addresses.BEGAN)[0])
        self._await_ends(1)
        return told - began

    def _await_ends(self, count: int) -> None:
        told = self._ends.wait(addresses.ENDED, count)
        if set(told) != {ExecutionStatus.COMPLETED.value}:
            raise RuntimeError(f"Executions ended as {sorted(set(told))}.")


if __name__ == "__main__":
    assert our_app  # the service is adapted
    driver = OurDriver()
    try:
        serve(driver)
    finally:
        driver.stop()
