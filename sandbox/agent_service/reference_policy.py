"""A release policy for the demo, served with the trouble of a real service: it is down at first.

The first requests of each caller are answered 503, so that the demo shows a retry of a real HTTP failure. A caller is
known by the header ``X-Execution-Id``; without it nothing fails. ``?failTimes=0`` switches the trouble off.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request

POLICY_FILE = Path(__file__).parent.parent / "agents" / "release-policy.json"
"""The policy itself."""
DEFAULT_FAIL_TIMES = 2
"""How many requests of one caller fail."""


class PolicyCalls:
    """Counts the requests of each caller, durably, so that a restart does not begin the trouble again."""

    def __init__(self, path: Path) -> None:
        """Remember where the SQLite file is."""
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS calls (caller TEXT PRIMARY KEY, count INTEGER NOT NULL)")

    def count(self, caller: str) -> int:
        """Count one more request of a caller and return how many there were."""
        with closing(self._connect()) as connection:
            row = connection.execute(
                "INSERT INTO calls VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                (caller,)).fetchone()
            return int(row[0])

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, timeout=5)


def policy_routes(calls: PolicyCalls) -> Blueprint:
    """Return ``GET /reference/release-policy``."""
    routes = Blueprint("reference_policy", __name__)
    policy: dict[str, Any] = json.loads(POLICY_FILE.read_text(encoding="utf-8"))

    @routes.get("/reference/release-policy")
    def release_policy() -> Response | tuple[Response, int]:
        fail_times = request.args.get("failTimes", DEFAULT_FAIL_TIMES, type=int)
        caller = request.headers.get("X-Execution-Id", "")
        if fail_times and caller and calls.count(caller[:600]) <= fail_times:
            return jsonify(code="policy_unavailable", **{"class": "transient"},
                           message="The release policy is not available yet."), 503
        return jsonify(policy)

    return routes
