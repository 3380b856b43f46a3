"""The people of the demo, each with a token of their own role, and what the approver does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cli.api import Api
from cli.connection import WORKSPACE, Connection
from web.tokens import issue_token

_LIFETIME = timedelta(hours=2)
SIGNATURE = "Read and released by Vera, the approver of the demo."
"""The line that the approver adds to the release notes."""


@dataclass(frozen=True, kw_only=True)
class People:
    """Open sessions of everybody."""

    designer: Api
    operator: Api
    approver: Api

    @classmethod
    def at(cls, url: str, secret: str) -> People:
        """Give everybody a token, signed with the secret of the service at this address."""
        return cls(designer=_session(url, secret, "ada", "designer"),
                   operator=_session(url, secret, "otto", "operator"),
                   approver=_session(url, secret, "vera", "approver"))

    def close(self) -> None:
        """Close all sessions."""
        for session in (self.designer, self.operator, self.approver):
            session.close()


def edited(approval: Mapping[str, Any]) -> dict[str, str]:
    """Return the approver's answer: the notes with one line more."""
    return {"notes": f"{approval['payload']['notes'].rstrip()}\n\n{SIGNATURE}\n"}


def _session(url: str, secret: str, user: str, role: str) -> Api:
    return Api(Connection(url=url, token=issue_token(secret, user, role, WORKSPACE, _LIFETIME)))
