"""Who asks, and what they may do: tokens are checked before every endpoint, rights in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import structlog
from flask import Flask, g, request
from flask_jwt_extended import JWTManager, get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_smorest import Blueprint
from jwt import ExpiredSignatureError, PyJWTError

from web.errors import Unauthenticated
from web.tokens import PUBLIC_KEY_ALGORITHM, TokenKey, user_of
from workflow_service.domain.errors import Forbidden
from workflow_service.domain.users import ADMIN, User

READ = frozenset({"templates:read", "executions:read", "approvals:read", "metrics:read"})
"""What every role may do."""
PERMISSIONS: Mapping[str, frozenset[str]] = {
    "viewer": READ,
    "operator": READ | {"executions:start", "executions:control"},
    "designer": READ | {"templates:write"},
    "approver": READ | {"approvals:respond"},
    ADMIN: READ | {"executions:start", "executions:control", "templates:write", "approvals:respond"},
}
"""Role -> what it may do."""
PUBLIC_ENDPOINTS = frozenset({
    "health.Health", "health.Readiness", "api-docs.openapi_json", "docs.home", "docs.page", "docs.asset"})
"""What needs no token; every other endpoint does, whether or not it says so."""
SECURITY_SCHEME = "bearerAuth"
"""The name of the tokens in the OpenAPI document."""

_log = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def register_auth(app: Flask, key: TokenKey) -> None:
    """Let the application refuse requests without a valid token.

    Args:
        key: what tokens are checked with.
    """
    name = "JWT_PUBLIC_KEY" if key.algorithm == PUBLIC_KEY_ALGORITHM else "JWT_SECRET_KEY"
    app.config.update({name: key.key, "JWT_ALGORITHM": key.algorithm, "JWT_DECODE_ALGORITHMS": [key.algorithm]})
    JWTManager(app)
    app.before_request(_authenticate)


def current_user() -> User:
    """Return who sent the present request."""
    return cast(User, g.user)


def requires(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only roles with this permission call an endpoint, and say so in the OpenAPI document.

    It has to be the outermost decorator, so that the body of a request that is refused is not even read.
    """
    documented = Blueprint.doc(
        security=[{SECURITY_SCHEME: []}], responses={401: "UNAUTHORIZED", 403: "FORBIDDEN", 503: "SERVICE_UNAVAILABLE"},
        **{"x-permission": permission})

    def decorate(endpoint: Callable[P, R]) -> Callable[P, R]:
        @wraps(endpoint)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _authorize(current_user(), permission)
            return endpoint(*args, **kwargs)

        return cast(Callable[P, R], documented(guarded))

    return decorate


def _authenticate() -> None:
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS or request.method == "OPTIONS":
        return
    user = user_of(_claims())
    if user is None:
        raise Unauthenticated("The token lacks a claim or has a wrong one: sub, role, workspace, exp.")
    g.user = user
    structlog.contextvars.bind_contextvars(user=user.name, role=user.role, workspace=user.workspace_id)


def _claims() -> Mapping[str, Any]:
    try:
        verify_jwt_in_request()
        return cast(Mapping[str, Any], get_jwt())
    except ExpiredSignatureError as error:
        raise Unauthenticated("The token has expired.") from error
    except (PyJWTError, JWTExtendedException) as error:
        raise Unauthenticated("This needs a valid token in the header 'Authorization: Bearer ...'.") from error


def _authorize(user: User, permission: str) -> None:
    if permission not in PERMISSIONS[user.role]:
        _log.warning("request_refused", permission=permission)
        raise Forbidden(f"The role '{user.role}' does not have the permission '{permission}'.")
