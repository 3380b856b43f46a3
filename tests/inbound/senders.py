"""Those who send messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from inbound.inbox import Delivery
from web.api.schemas.examples import START
from web.tokens import issue_token

SECRET = "not-a-secret-only-a-test-of-secrets-that-is-long-enough-for-HS512"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One user, who writes messages."""

    role: str = "admin"
    user: str = "ada"
    workspace: str = "acme"
    lifetime: timedelta = timedelta(minutes=5)
    secret: str = SECRET

    @property
    def token(self) -> str:
        """A token of this user."""
        return issue_token(self.secret, self.user, self.role, self.workspace, self.lifetime)

    def start(self, key: str = "order 4711", **changed: Any) -> dict[str, Any]:
        """Return a message that starts an execution."""
        return {"type": "start_execution", "token": self.token, "id": key, "body": {**START, **changed}}

    def answer(self, approval_id: str, key: str = "answer", **body: Any) -> dict[str, Any]:
        """Return a message that answers a request."""
        return {"type": "respond_to_approval", "token": self.token, "id": key, "approvalId": approval_id, "body": body}

    def signal(self, execution_id: str, name: str, key: str = "signal", **payload: Any) -> dict[str, Any]:
        """Return a message that sends a signal."""
        return {"type": "send_signal", "token": self.token, "id": key, "executionId": execution_id, "signal": name,
                "body": {"payload": payload}}


def delivered(message: object, deliveries: int = 1) -> Delivery:
    """Return a message as it comes from a broker."""
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Delivery(raw=raw, tag="1", deliveries=deliveries)
