"""Where the service is and who asks: from options, the environment, or the development stack of this directory."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cli.errors import CommandFailed
from cli.local import LocalDirectory
from web.tokens import issue_token

WORKSPACE = "default"
"""The workspace of tokens that nobody asked a workspace for."""
_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach the API."""

    url: str
    """Base address, without a slash at its end."""
    token: str


def find_connection(url: str | None, token: str | None, directory: Path) -> Connection:
    """Complete what was given (by option or environment) with what the stack of this directory tells.

    Raises:
        CommandFailed: the address or the token can't be known.
    """
    local = LocalDirectory.nearest(directory)
    record = local.record() if local else None
    address = url or (record.url if record else None)
    if address is None:
        raise CommandFailed("Where is the workflow service? Say so with --url or WORKFLOW_SERVICE_URL, "
                            "or start one in this directory: workflow-service dev")
    if not address.startswith(("http://", "https://")):
        raise CommandFailed(f"'{address}' is not an address; it should start with http:// or https://.")
    return Connection(url=address.rstrip("/"), token=token or _own_token(local if url is None else None))


def find_secret(environ: Mapping[str, str], directory: Path) -> str:
    """Return the secret that signs tokens: of the environment, or of the stack of this directory.

    Raises:
        CommandFailed: there is none, or tokens are checked with a public key, which signs nothing.
    """
    if environ.get("JWT_PUBLIC_KEY") and not environ.get("JWT_SECRET"):
        raise CommandFailed("Tokens are checked with JWT_PUBLIC_KEY here, and a public key can't sign any: get one "
                            "from whoever has the private key.")
    local = LocalDirectory.nearest(directory)
    secret = environ.get("JWT_SECRET") or (local.secret() if local else None)
    if not secret:
        raise CommandFailed("There is no secret to sign with: set JWT_SECRET, or start a stack in this directory: "
                            "workflow-service dev")
    return secret


def _own_token(local: LocalDirectory | None) -> str:
    """Return an administrator's token for one's own development stack."""
    secret = local.secret() if local else None
    if secret is None:
        raise CommandFailed("Who asks? Give a token with --token or WORKFLOW_SERVICE_TOKEN "
                            "(workflow-service token makes one).")
    return issue_token(os.environ.get("JWT_SECRET") or secret, _user_name(), "admin", WORKSPACE, _LIFETIME)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return "developer"
