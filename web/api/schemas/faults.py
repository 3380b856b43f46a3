"""From the faults that marshmallow finds to the domain's issues: a path, a stable word, a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow.exceptions import SCHEMA
from marshmallow.fields import Field

from workflow_service.domain.errors import Issue

UNKNOWN_FIELD = "unknown_field"
"""The word for a field that the endpoint does not have."""
_CODES: Mapping[str, str] = {
    str(Field.default_error_messages["required"]): "required",
    str(Field.default_error_messages["null"]): "not_null",
    "Unknown field.": UNKNOWN_FIELD,
}


def issues_of(error: ValidationError, schema: Schema) -> list[Issue]:
    """Return the faults of a request.

    Args:
        error: what webargs caught; its messages are kept by location (body, address).
        schema: what the request was read by.
    """
    known = tuple(sorted(field.data_key or name for name, field in schema.load_fields.items()))
    return [_issue(path, message, known)
            for part in error.messages_dict.values() for path, message in _leaves(part, "")]


def _issue(path: str, message: str, known: tuple[str, ...]) -> Issue:
    code = _CODES.get(message, "invalid")
    return Issue(path=path, code=code, message=message, allowed=known if code == UNKNOWN_FIELD else ())


def _leaves(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _leaves(below, _join(path, key))
    elif isinstance(messages, list):
        for message in messages:
            yield from _leaves(message, path)
    else:
        yield path, str(messages)


def _join(path: str, key: str | int) -> str:
    if key == SCHEMA:
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
