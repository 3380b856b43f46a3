"""Reading JSON bodies strictly: what can't be stored or passed on as it is, is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from webargs.core import is_json
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from web.errors import MalformedJSON, UnsupportedMediaType
from workflow_service.integrations import json_text

MAX_BYTES = 16 * 1024 * 1024
"""Of one body."""


def whole_body(request: Request) -> bytes:
    """Return the body of a request as it was sent, and none that the client did not send to its end.

    Raises:
        RequestEntityTooLarge: it has more than ``MAX_BYTES``.
        BadRequest: it is shorter than was declared, or comes in chunks that are none.
    """
    try:
        raw = request.get_data()
    except HTTPException:
        raise
    except Exception as error:  # whatever the server meets where a chunk has to begin
        raise BadRequest("The body can't be read: its chunks are malformed.") from error
    if request.content_length is None and len(raw) >= MAX_BYTES:
        raise RequestEntityTooLarge()  # a body that comes in chunks is cut off at the limit without a word
    if len(raw) < (request.content_length or 0):
        raise BadRequest(f"The body ends after {len(raw)} of {request.content_length} bytes.")
    return raw


def json_body(request: Request) -> Any:
    """Return the parsed body of a request.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        RequestEntityTooLarge: it has more than ``MAX_BYTES``.
        BadRequest: it was not sent to its end.
        MalformedJSON: it can't be read.
    """
    if not is_json(request.mimetype):
        raise UnsupportedMediaType("The body has to be JSON, declared by 'Content-Type: application/json'.")
    return parse_json(whole_body(request))


def optional_json_body(request: Request) -> Any:
    """Return the parsed body of a request that may do without one: an empty object if there is none.

    Raises:
        UnsupportedMediaType: there is one, and it is not declared as JSON.
        RequestEntityTooLarge: it has more than ``MAX_BYTES``.
        BadRequest: it was not sent to its end.
        MalformedJSON: it can't be read.
    """
    return json_body(request) if whole_body(request) else {}


def parse_json(raw: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        MalformedJSON: it is not JSON in UTF-8, or holds what we can't keep, or a name twice in one object.
    """
    try:
        return json_text.decode(raw, unique_names=True)
    except ValueError as error:
        raise MalformedJSON(f"The body is not JSON that we can take: {_reason(error)}.") from error


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, UnicodeEncodeError):
        return "a text in it holds half a surrogate pair"
    return str(error)
