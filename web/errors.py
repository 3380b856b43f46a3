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


class TooManyFollowers(WorkflowServiceError):
    """Raised when as many clients as one process can serve follow something already."""

    code = "too_many_followers"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("Too many clients follow something at the moment. Try again, or read it page by page.")


class MalformedYAML(WorkflowServiceError):
    """Raised when a body is not YAML, or YAML that says more than JSON can."""

    code = "malformed_yaml"


class BodyTooLarge(WorkflowServiceError):
    """Raised when a body has more bytes than its format may have."""

    code = "request_entity_too_large"


STATUS: Mapping[type[WorkflowServiceError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyFollowers: HTTPStatus.TOO_MANY_REQUESTS,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    MalformedJSON: HTTPStatus.BAD_REQUEST,
    MalformedYAML: HTTPStatus.BAD_REQUEST,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
"""Kinds of errors and what they are in HTTP; every other error is our own fault."""
_HEADERS: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="workflow-service"'},
}
FRAMEWORK_CODES: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_entity_too_large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "uri_too_long",
    HTTPStatus.EXPECTATION_FAILED: "expectation_failed",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "request_header_fields_too_large",
}
"""What framework and server refuse before any endpoint is asked; written down, for Python renames statuses."""
INTERNAL_ERROR = "internal_error"
"""The word for our own faults."""
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
    status = status_of(type(error))
    if status is None:
        return answer_unknown_error(error)
    message = str(error.args[0]) if error.args else status.phrase
    issues = error.issues if isinstance(error, Invalid) else ()
    return _answer(status, error.code, message, issues)


def status_of(error: type[WorkflowServiceError]) -> HTTPStatus | None:
    """Return what an error is in HTTP; None for our own faults."""
    return next((STATUS[kind] for kind in error.__mro__ if kind in STATUS), None)


def answer_http_error(error: HTTPException) -> Response:
    """Answer an error of the framework, such as an unknown address."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    message = _OWN_WORDS.get(status) or error.description or status.phrase
    response = _answer(status, FRAMEWORK_CODES.get(status) or re.sub(r"\W+", "_", status.phrase.lower()), message)
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # such as Allow, which a 405 must have
            response.headers[name] = value
    return response


def answer_unknown_error(error: Exception) -> Response:
    """Answer what nobody expected: the log has the details, the client the id to ask for them."""
    _log.error("request_crashed", exc_info=error)
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR,
                   "Something went wrong on our side. The request id leads to the details in the log.")


def error_body(status: HTTPStatus, word: str, message: str, request: str) -> dict[str, Any]:
    """Return the one shape of every error, without faults that have a place.

    Args:
        request: the id of the request.
    """
    return {"code": status.value, "status": status.phrase, "error": word, "message": message, "requestId": request}


def _answer(status: HTTPStatus, word: str, message: str, issues: tuple[Issue, ...] = ()) -> Response:
    body = error_body(status, word, message, request_id())
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
