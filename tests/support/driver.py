"""Drives a running service over its API, as its users do, and reads its history from the store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any, TypeVar

import requests

from web.tokens import issue_token

T = TypeVar("T")

_HOUR = timedelta(hours=1)
_PATIENCE_S = 10


class Driver:
    """One user of the API."""

    def __init__(self, url: str, jwt_secret: str, role: str = "admin", name: str = "olga") -> None:
        """Act as a user of workspace ``default``."""
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        token = issue_token(jwt_secret, name, role, "default", _HOUR)
        self._session.headers["Authorization"] = f"Bearer {token}"

    def store(self, template: Mapping[str, Any]) -> str:
        """Store a template and return its id."""
        return str(self.post("/templates", template)["templateId"])

    def start(self, template_id: str, **values: Any) -> str:
        """Start an execution with this input and return its id."""
        body = {"templateId": template_id, "workspaceId": "default", "input": values}
        return str(self.post("/executions", body)["executionId"])

    def show(self, execution_id: str) -> dict[str, Any]:
        """Return an execution in the shape of the API."""
        return self.get(f"/executions/{execution_id}")

    def pending(self, execution_id: str) -> Sequence[dict[str, Any]]:
        """Return the approvals of an execution that wait for an answer."""
        found: list[dict[str, Any]] = self.get("/approvals/pending", executionId=execution_id)["approvals"]
        return found

    def approve(self, execution_id: str, within: timedelta, **response: Any) -> None:
        """Answer yes to the one approval of an execution, as soon as it is asked for."""
        approval = eventually(lambda: next(iter(self.pending(execution_id)), None), within)
        self.post(f"/approvals/{approval['approvalId']}/respond", {"approved": True, "response": response})

    def ended(self, execution_id: str, within: timedelta) -> dict[str, Any]:
        """Return an execution once it has ended.

        Raises:
            AssertionError: it has not within that time; shows where each block stands.
        """
        deadline = time.monotonic() + within.total_seconds()
        while (shown := self.show(execution_id))["completedAt"] is None:
            assert time.monotonic() < deadline, json.dumps(standing(shown))
            time.sleep(0.05)
        return shown

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Ask."""
        return self._answer(self._session.get(self._url + path, params=query, timeout=_PATIENCE_S))

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send.

        Args:
            key: the idempotency key; None for none.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._answer(self._session.post(self._url + path, json=body, headers=headers, timeout=_PATIENCE_S))

    @staticmethod
    def _answer(answer: requests.Response) -> dict[str, Any]:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:2000]}"
        body: dict[str, Any] = answer.json()
        return body


def effects_of(agents_url: str, execution_id: str) -> Sequence[dict[str, Any]]:
    """Return each time that an agent really did work for an execution, by the agents' own log."""
    answer = requests.get(f"{agents_url}/effects", params={"executionId": execution_id}, timeout=_PATIENCE_S)
    found: list[dict[str, Any]] = answer.json()["effects"]
    return found


def most_at_once(spans: Iterable[tuple[str, str]]) -> int:
    """Return how many of these spans overlap at most; instants in one format compare as text."""
    moments = sorted(moment for start, end in spans for moment in ((start, 1), (end, -1)))
    return max(accumulate((change for _, change in moments), initial=0))


def standing(execution: Mapping[str, Any]) -> dict[str, Any]:
    """Return the status of an execution and of those of its blocks that have not completed."""
    return {"status": execution["status"], "error": execution["error"],
            "blocks": {block["blockId"]: block["status"] for block in execution["blockExecutions"]
                       if block["status"] != "completed"}}


def eventually(look: Callable[[], T | None], within: timedelta) -> T:
    """Return what a look gives, as soon as it gives something.

    Raises:
        AssertionError: it gave nothing within that time.
    """
    deadline = time.monotonic() + within.total_seconds()
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing within {within}"
        time.sleep(0.05)
    return found
