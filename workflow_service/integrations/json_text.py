"""JSON that every party can keep: what others send us is checked before it goes anywhere.

Beyond the grammar this refuses what Python reads and our stores or others can't hold (RFC 7493 names most of it): NaN
and Infinity, numbers that no 64 bits hold, halves of surrogate pairs, NUL in names, nesting deeper than 64.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

DEEPEST = 64
"""How many objects and arrays may stand in each other (MongoDB takes 100, our documents add some)."""
_WHOLE_LIMIT = 2**63
_SHOWN = 100
_SUSPICIOUS = re.compile(rb"\\u(d[89a-f]|0000)", re.IGNORECASE)


def encode(value: Any) -> bytes:
    """Return the JSON text of a value.

    Raises:
        ValueError: it is no JSON value.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False,
                          default=_plain).encode()
    except (TypeError, RecursionError) as error:
        raise ValueError("it is no JSON value") from error


def decode(text: bytes, *, unique_names: bool = False) -> Any:
    """Return the value of a JSON text in UTF-8.

    Args:
        unique_names: refuse an object in which a name stands twice, of which one value would be lost without a word.

    Raises:
        ValueError: it is not JSON, or holds what can't be kept; the message says what.
    """
    try:
        value = json.loads(text.decode(), parse_constant=_refuse_constant, parse_int=_whole,
                           parse_float=_finite, object_pairs_hook=_with_unique_names if unique_names else None)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    # nearly all texts pass these two looks, and only the others are walked through
    if text.count(b"{") + text.count(b"[") > DEEPEST or _SUSPICIOUS.search(text):
        _check(value)
    return value


def _plain(value: object) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{type(value).__name__} is no JSON type")
    return dict(value)


def _check(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        for text in _texts(level):
            text.encode()
        if any("\0" in name for part in level if isinstance(part, dict) for name in part):
            raise ValueError("a name in it holds NUL")
        level = [child for part in level if isinstance(part, dict | list) for child in _children(part)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _texts(level: list[Any]) -> list[str]:
    names = [name for part in level if isinstance(part, dict) for name in part]
    return names + [part for part in level if isinstance(part, str)]


def _children(part: dict[str, Any] | list[Any]) -> list[Any]:
    return list(part.values()) if isinstance(part, dict) else part


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:_SHOWN]!r} stands twice in one object")
        found[name] = value
    return found


def _whole(digits: str) -> int:
    number = int(digits)
    if not -_WHOLE_LIMIT <= number < _WHOLE_LIMIT:
        raise ValueError("a whole number in it is beyond 64 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number in it is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
