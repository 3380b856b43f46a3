"""JSON of users made fit for BSON, and back, without loss.

BSON refuses or changes some JSON: keys that hold ``.`` or NUL, ``$ref`` beside ``$id`` (the driver makes a reference of
it), whole numbers beyond 64 bits, lone surrogates, more than 100 levels. Such characters of keys are escaped with
``%`` as in a URL; other such values stand as JSON text under the key ``%json``, which no escaped key can be. Everything
else is stored as it is, so that documents can be read and queried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

TEXT_KEY = "%json"
"""The one key of an object that stands for a value written as JSON text."""
_MAX_LEVELS = 50
"""Deeper values are written as text; MongoDB takes 100 levels, and ours do not start at the top."""
_UNSAFE = re.compile("[%.$\x00\ud800-\udfff]")
_ESCAPED = re.compile("%(?:u([0-9A-F]{4})|([0-9A-F]{2}))")
_SMALLEST, _LARGEST = -2**63, 2**63 - 1


def json_text(value: Any) -> str:
    """Return JSON in ASCII, which can stand for every value that came from JSON."""
    return json.dumps(value, separators=(",", ":"))


def encode_json(value: Any, level: int = 0) -> Any:
    """Return a JSON value as it is stored."""
    if isinstance(value, str):
        return value if value.isascii() or _is_unicode(value) else {TEXT_KEY: json_text(value)}
    if isinstance(value, int):
        return value if _SMALLEST <= value <= _LARGEST else {TEXT_KEY: json_text(value)}
    if not isinstance(value, Mapping | list | tuple):
        return value
    if level >= _MAX_LEVELS:
        return {TEXT_KEY: json_text(value)}
    if isinstance(value, Mapping):
        return {_UNSAFE.sub(_escape, key): encode_json(entry, level + 1) for key, entry in value.items()}
    return [encode_json(entry, level + 1) for entry in value]


def decode_json(stored: Any) -> Any:
    """Return the JSON value that was stored."""
    if isinstance(stored, dict):
        if TEXT_KEY in stored:
            return json.loads(stored[TEXT_KEY])
        return {_unescape(key): decode_json(entry) for key, entry in stored.items()}
    if isinstance(stored, list):
        return [decode_json(entry) for entry in stored]
    # the driver gives 64-bit numbers as a subclass of int
    return int(stored) if isinstance(stored, int) and not isinstance(stored, bool) else stored


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escape(unsafe: re.Match[str]) -> str:
    number = ord(unsafe.group())
    return f"%{number:02X}" if number < 256 else f"%u{number:04X}"


def _unescape(key: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found.group(1) or found.group(2), 16)), key) if "%" in key else key
