"""Fills ``{name}`` in the registry's texts with fields of the input.

``{a.b}`` is a field of a field. A text that is one placeholder and nothing else takes the value with its type;
``{a?}`` is nothing if the field is missing (a key with such a value is left out), any other missing field is an error.
Nothing in the values is looked at again, so a value with braces stays what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.agent_service.errors import WorkFailed

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)(\?)?\}")
_MISSING = object()


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """Return a JSON value with the placeholders in its strings filled.

    Raises:
        WorkFailed: a field that is not optional is missing.
    """
    if isinstance(template, str):
        return _fill_string(template, values)
    if isinstance(template, Mapping):
        filled = {key: fill(item, values) for key, item in template.items()}
        return {key: item for key, item in filled.items() if not (item is None and _is_optional(template[key]))}
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    return template


def fill_text(template: str, values: Mapping[str, Any], encode: Callable[[str], str] = str) -> str:
    """Return a text with its placeholders filled, each value turned into text and encoded.

    Raises:
        WorkFailed: a field that is not optional is missing.
    """
    def text_of(match: re.Match[str]) -> str:
        value = _lookup(match, values)
        return encode("" if value is None else value if isinstance(value, str) else json.dumps(value))

    return _PLACEHOLDER.sub(text_of, template)


def only_placeholder(template: str) -> bool:
    """Say whether a text is one placeholder and nothing else."""
    return _PLACEHOLDER.fullmatch(template) is not None


def _fill_string(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    return _lookup(whole, values) if whole else fill_text(template, values)


def _lookup(match: re.Match[str], values: Mapping[str, Any]) -> Any:
    value: Any = values
    for name in match.group(1).split("."):
        value = value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
    if value is not _MISSING:
        return value
    if match.group(2):
        return None
    raise WorkFailed("missing_input", "configuration", f"The agent needs '{match.group(1)}' in its input.")


def _is_optional(template: Any) -> bool:
    return isinstance(template, str) and template.endswith("?}") and only_placeholder(template)
