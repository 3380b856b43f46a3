"""Reading requests: what arrives becomes values, or an error that names every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from sandbox.state_service import documents
from sandbox.state_service.errors import InvalidRequest
from sandbox.state_service.fields import BLOCK_OR_POINT_ID, WORKSPACE_OR_PLAY_ID

_PATH_IDS = {
    "workspace_id": ("workspaceId", re.compile(WORKSPACE_OR_PLAY_ID)),
    "play_id": ("playId", re.compile(WORKSPACE_OR_PLAY_ID)),
    "block_id": ("blockId", re.compile(BLOCK_OR_POINT_ID)),
    "point_id": ("pointId", re.compile(BLOCK_OR_POINT_ID)),
}


def check_path(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Refuse ids in the path that are none, before any resource sees them."""
    for name, value in (values or {}).items():
        wire_name, pattern = _PATH_IDS[name]
        if not pattern.match(value):
            raise InvalidRequest("The path holds an id that is none.", {wire_name: ["Not a valid id."]})


def read_body(schema: Schema) -> Any:
    """Return the value that the body holds.

    Raises:
        InvalidRequest: it is no JSON, or not what the schema wants.
        RequestEntityTooLarge: it is longer than the service takes.
    """
    try:
        body = documents.parse(_whole_body())
    except ValueError as error:
        raise InvalidRequest("The body is not JSON.", {"body": [str(error)]}) from error
    return _load(schema, body, "The body does not follow the contract.")


def read_query(schema: Schema) -> Any:
    """Return the value that the query holds.

    Raises:
        InvalidRequest: it is not what the schema wants.
    """
    return _load(schema, request.args.to_dict(), "The query does not follow the contract.")


def _whole_body() -> bytes:
    body = request.get_data()
    # a body of unannounced length is silently cut at the limit
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return body


def _load(schema: Schema, given: Any, message: str) -> Any:
    try:
        return schema.load(given)
    except ValidationError as error:
        raise InvalidRequest(message, dict(_flatten(error.messages, ""))) from error


def _flatten(faults: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each fault under one name, such as ``checkpoints[3].epoch``."""
    if isinstance(faults, dict):
        for key, inner in faults.items():
            yield from _flatten(inner, _join(path, key))
    else:
        yield path or "body", [str(fault) for fault in faults]


def _join(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else str(key)
