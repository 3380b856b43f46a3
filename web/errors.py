"""The one shape of every error answer, and the one table from kinds of errors to HTTP statuses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from web.correlation import request_id
from workflow_service.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Issue,
    NotFound,
    StaleVersion,
    Unavailable,
    WorkflowServiceError,
)

MAX_ISSUES = 500
"""How many faults one answer names."""
RETRY_AFTER_SECONDS = 5
"""When to try again what was unavailable."""

_log = structlog.get_logger(__name__)


class Unauthenticated(WorkflowServiceError):
    """Raised when a request has no token that can be trusted."""

    code = "unauthenticated"


class MalformedJSON(WorkflowServiceError):
    """Raised when a body is not JSON, or JSON that could not be stored or passed on."""

    code = "malformed_json"


class UnsupportedMediaType(WorkflowServiceError):
    """Raised when a body is not declared as JSON."""

    code = "unsupported_media_type"


STATUS: Mapping[type[WorkflowServiceError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    MalformedJSON: HTTPStatus.BAD_REQUEST,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
"""Kinds of errors and what they are in HTTP; every other error is our own fault."""
_HEADERS: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="workflow-service"'},
}
_OWN_WORDS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 16 MB.",
}


def register_errors(app: Flask) -> None:
    """Let the application answer every error in the one shape (after flask-smorest has registered its own)."""
    app.register_error_handler(WorkflowServiceError, answer_service_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_unknown_error)


def answer_service_error(error: WorkflowServiceError) -> Response:
    """Answer an error that the service raised on purpose."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return answer_unknown_error(error)
    message = str(error.args[0]) if error.args else status.phrase
    issues = error.issues if isinstance(error, Invalid) else ()
    return _answer(status, error.code, message, issues)


def answer_http_error(error: HTTPException) -> Response:
    """Answer an error of the framework, such as an unknown address."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    message = _OWN_WORDS.get(status) or error.description or status.phrase
    response = _answer(status, re.sub(r"\W+", "_", status.phrase.lower()), message)
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # such as Allow, which a 405 must have
            response.headers[name] = value
    return response


def answer_unknown_error(error: Exception) -> Response:
    """Answer what nobody expected: the log has the details, the client the id to ask for them."""
    _log.error("request_crashed", exc_info=error)
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error",
                   "Something went wrong on our side. The request id leads to the details in the log.")


def _answer(status: HTTPStatus, word: str, message: str, issues: tuple[Issue, ...] = ()) -> Response:
    body: dict[str, Any] = {"code": status.value, "status": status.phrase, "error": word, "message": message,
                            "requestId": request_id()}
    if issues:
        body["errors"] = _by_path(issues)
    response = jsonify(body)
    response.status_code = status
    response.headers.update(_HEADERS.get(status, {}))
    return response


def _by_path(issues: tuple[Issue, ...]) -> dict[str, list[dict[str, Any]]]:
    faults: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for issue in issues[:MAX_ISSUES]:
        faults[issue.path or "(whole)"].append(
            {"code": issue.code, "message": issue.message, "allowed": list(issue.allowed)})
    return faults
