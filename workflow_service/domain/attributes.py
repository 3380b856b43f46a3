"""Search attributes: a few short values that an execution can be found by, in the words of who starts it.

What is searched for is a text, so each attribute has its ``term``, ``key:value`` with the value as JSON writes it
(texts without their quotes). The number 5 and the text "5" are found by the same term.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping

from workflow_service.domain.errors import Issue

Attribute = str | int | float | bool
Attributes = Mapping[str, Attribute]
MOST = 20
"""Attributes of one execution."""
LONGEST = 256
"""Characters of a value, as it is written in its term."""
_EXACT = 2.0**53
"""Up to here every whole number is a float of its own."""
KEY_PATTERN = r"^[A-Za-z0-9_.-]{1,64}$"
_KEY = re.compile(KEY_PATTERN[:-1] + r"\Z")


def term(key: str, value: Attribute) -> str:
    """Return the text by which an attribute is found."""
    return f"{key}:{_written(value)}"


def terms(attributes: Attributes) -> tuple[str, ...]:
    """Return the terms of all attributes."""
    return tuple(term(key, value) for key, value in attributes.items())


def is_term(text: str) -> bool:
    """Say whether an attribute could have this term."""
    key, colon, value = text.partition(":")
    return bool(colon) and _KEY.match(key) is not None and _is_text(value)


def attribute_issues(attributes: Mapping[str, object], path: str = "attributes") -> Iterator[Issue]:
    """Yield what is wrong with attributes.

    Args:
        path: where they stand.
    """
    if len(attributes) > MOST:
        yield Issue(path=path, code="too_many", message=f"An execution has at most {MOST} attributes.")
        return
    for key, value in attributes.items():
        if _KEY.match(key) is None:
            yield Issue(path=path, code="bad_key",
                        message="The name of an attribute has 1 to 64 letters, digits, '_', '.' or '-'.")
        elif not _is_attribute(value):
            yield Issue(path=f"{path}.{key}", code="bad_value", allowed=("string", "number", "boolean"),
                        message=f"A value is a text, a number or a boolean of at most {LONGEST} characters, "
                                "without control characters.")


def _is_attribute(value: object) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, bool | float) or (isinstance(value, int) and -2**63 <= value < 2**63)


def _is_text(text: str) -> bool:
    return len(text) <= LONGEST and (text.isprintable() or not text)


def _written(value: Attribute) -> str:
    if isinstance(value, str):
        return value
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return json.dumps(int(value) if is_whole else value)
