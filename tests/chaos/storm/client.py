"""A user of the API who expects the worst: every request ends in time, with an answer or with none."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests

from web.tokens import issue_token

NO_ANSWER = 0
_PATIENCE_S = 15
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    """Of HTTP; 0 if there was no answer, so that nobody knows what was done."""
    seconds: float
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """True when it was done."""
        return 200 <= self.status < 300

    @property
    def is_unknown(self) -> bool:
        """True when it may have been done or not."""
        return self.status == NO_ANSWER or self.status >= 500


class Client:
    """A user of workspace ``default``; each thread has connections of its own."""

    def __init__(self, url: str, jwt_secret: str, name: str, role: str = "admin") -> None:
        """Act as this user."""
        self.name = name
        self._url = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {issue_token(jwt_secret, name, role, 'default', _DAY)}"}
        self._local = threading.local()

    def get(self, path: str, **query: Any) -> Answer:
        """Ask."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Send."""
        return self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **more: Any) -> Answer:
        began = time.monotonic()
        status, body = self._answer(method, path, **more)
        return Answer(status=status, seconds=time.monotonic() - began, body=body)

    def _answer(self, method: str, path: str, **more: Any) -> tuple[int, Mapping[str, Any]]:
        try:
            answer = self._session().request(method, self._url + path, timeout=_PATIENCE_S, **more)
            return answer.status_code, answer.json()
        except requests.RequestException:  # refused, cut, too late, or half a body
            return NO_ANSWER, {}

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers.update(self._headers)
        session: requests.Session = self._local.session
        return session
