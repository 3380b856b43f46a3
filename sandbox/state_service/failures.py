"""Answers for whatever went wrong: always ``{code, message, errors?}``, never a traceback."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from sandbox.state_service.errors import StateServiceError

_log = logging.getLogger(__name__)
_CODES = {HTTPStatus.NOT_FOUND: "not_found", HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
          HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large"}


def register(app: Flask) -> None:
    """Make the app answer every failure in the form of the contract."""
    app.register_error_handler(StateServiceError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: StateServiceError) -> tuple[dict[str, Any], int]:
    answer: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.faults:
        answer["errors"] = error.faults
    return answer, error.status


def _http(error: HTTPException) -> tuple[dict[str, Any], int]:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return {"code": _CODES.get(status, "invalid_request"), "message": f"{status.phrase}."}, status


def _unexpected(error: Exception) -> tuple[dict[str, Any], int]:
    _log.error("A request failed unexpectedly.", exc_info=error)
    return ({"code": "internal_error", "message": "The service failed; its log says why."},
            HTTPStatus.INTERNAL_SERVER_ERROR)
