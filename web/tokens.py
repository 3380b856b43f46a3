"""The JSON Web Tokens of the API: what they claim, issued and read in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt

from workflow_service.config import SecuritySettings
from workflow_service.domain.ids import is_id
from workflow_service.domain.template_schema import ROLES
from workflow_service.domain.users import User

ALGORITHM = "HS256"
"""The signature of tokens that are issued here: by a secret."""
PUBLIC_KEY_ALGORITHM = "RS256"
"""The signature of tokens that somebody else issues: by the private key that belongs to our public one."""
_MAX_NAME = 200


@dataclass(frozen=True, kw_only=True)
class TokenKey:
    """What tokens are checked with: one key with its one algorithm, whatever algorithm a token names.

    Were both accepted, anybody could sign tokens with the public key as if it were a secret.
    """

    algorithm: str
    key: str = field(repr=False)


def token_key(security: SecuritySettings) -> TokenKey:
    """Return what tokens are checked with by these settings."""
    if security.jwt_public_key is not None:
        return TokenKey(algorithm=PUBLIC_KEY_ALGORITHM, key=security.jwt_public_key)
    return TokenKey(algorithm=ALGORITHM, key=security.jwt_secret)


def issue_token(secret: str, user: str, role: str, workspace: str, lifetime: timedelta) -> str:
    """Return a signed token.

    Args:
        user: the name of the person or program.
        lifetime: until it expires, from now.

    Raises:
        ValueError: a claim that the API would refuse.
    """
    now = datetime.now(UTC)
    claims = {"sub": user, "role": role, "workspace": workspace, "type": "access", "jti": uuid4().hex, "iat": now,
              "exp": now + lifetime}
    if user_of(claims) is None:
        raise ValueError(f"A token needs a name, a role out of {', '.join(ROLES)}, and the id of a workspace.")
    return jwt.encode(claims, secret, ALGORITHM)


def user_of(claims: Mapping[str, Any]) -> User | None:
    """Return the user that a token speaks of; None if it lacks a claim or has a wrong one."""
    name, role, workspace = claims.get("sub"), claims.get("role"), claims.get("workspace")
    if not (isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable()):
        return None
    if role not in ROLES or not is_id(workspace) or "exp" not in claims:
        return None
    return User(name=name, role=str(role), workspace_id=str(workspace))
