"""A user of the API with a connection that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests

from web.tokens import issue_token

WORKSPACE = "default"
_LIFETIME = timedelta(days=1)
_PATIENCE_S = 60


class Client:
    """Sends requests on one connection; not for several threads."""

    def __init__(self, url: str, secret: str) -> None:
        """Act as an admin.

        Args:
            url: of the service.
            secret: that signs tokens.
        """
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the person's is none for this machine
        token = issue_token(secret, "benchmark", "admin", WORKSPACE, _LIFETIME)
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> requests.Response:
        """Ask."""
        return self._session.get(self._url + path, params=query, timeout=_PATIENCE_S)

    def post(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        """Send."""
        return self._session.post(self._url + path, json=body, timeout=_PATIENCE_S)

    def close(self) -> None:
        """End the connection."""
        self._session.close()
