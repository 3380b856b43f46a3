"""The process that gunicorn starts: what is no HTTP, or too much of it, is refused in the shape of all errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from socket import socket
from typing import Any
from uuid import uuid4

import structlog
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import ThreadWorker

from web.correlation import HEADER
from web.errors import FRAMEWORK_CODES, INTERNAL_ERROR, error_body

_OF_OURS = (InvalidResponseHeader, InvalidResponseHeaderName)
_REFUSALS: Mapping[type[Exception], tuple[HTTPStatus, str]] = {
    LimitRequestLine: (HTTPStatus.REQUEST_URI_TOO_LONG, "The address with its parameters is longer than 8 KB."),
    LimitRequestHeaders: (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "There are too many headers, or one is too long."),
    ExpectationFailed: (HTTPStatus.EXPECTATION_FAILED, "Only '100-continue' can be expected."),
    ParseException: (HTTPStatus.BAD_REQUEST, "This is no HTTP request that can be read."),
}
_OUR_FAULT = "Something went wrong on our side. The request id leads to the details in the log."
_log = structlog.get_logger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A process of many threads."""

    def handle_error(self, req: Any, client: socket, addr: Any, exc: Exception) -> None:
        """Answer a request that never came to the service, in place of a page of HTML."""
        request_id = uuid4().hex
        try:
            client.sendall(refusal(exc, request_id))
        except OSError:
            _log.debug("refusal_not_sent", request_id=request_id)


def refusal(error: Exception, request_id: str) -> bytes:
    """Return the answer to a request that gunicorn could not hand on, and log it.

    An unknown transfer coding is the client's fault as well, although RFC 9112 has 501 for it.
    """
    is_theirs = isinstance(error, ParseException) and not isinstance(error, _OF_OURS)
    if is_theirs:
        status, message = next(_REFUSALS[kind] for kind in type(error).__mro__ if kind in _REFUSALS)
        _log.warning("request_refused", status=status.value, reason=str(error)[:200], request_id=request_id)
    else:
        status, message = HTTPStatus.INTERNAL_SERVER_ERROR, _OUR_FAULT
        _log.error("request_crashed", exc_info=error, request_id=request_id)
    word = FRAMEWORK_CODES.get(status, INTERNAL_ERROR)
    body = json.dumps(error_body(status, word, message, request_id)).encode() + b"\n"
    head = [f"HTTP/1.1 {status.value} {status.phrase}", "Connection: close", "Content-Type: application/json",
            f"Content-Length: {len(body)}", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
            f"{HEADER}: {request_id}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
