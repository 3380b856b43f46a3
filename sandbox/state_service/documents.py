"""JSON as it is stored: one text for one content, so that equal contents are equal texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn


def dump(content: Any) -> str:
    """Return the canonical text of a JSON value."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dump_optional(content: Any) -> str | None:
    """Return the canonical text of a JSON value, None for None."""
    return None if content is None else dump(content)


def load_optional(text: str | None) -> Any:
    """Return the JSON value that was stored, None for None."""
    return None if text is None else json.loads(text)


def parse(body: bytes) -> Any:
    """Return the JSON value of a request body.

    Raises:
        ValueError: it is no JSON, or holds one of the numbers beyond it that Python lets pass.
    """
    try:
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("It is nested too deeply.") from error


def is_deeper_than(limit: int, content: Any) -> bool:
    """Say whether more objects and arrays stand in each other than the limit."""
    level = _nesting([content])
    for _ in range(limit):
        if not level:
            break
        level = _nesting(child for part in level
                         for child in (part.values() if isinstance(part, dict) else part))
    return bool(level)


def _nesting(contents: Iterable[Any]) -> list[Any]:
    return [content for content in contents if isinstance(content, dict | list)]


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("A number in it is too large.")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value.")
