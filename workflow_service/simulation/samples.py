"""A value that a JSON Schema allows, for the output of an agent that has no mock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 8
"""Levels of a value; what is below them is left out."""

_LONGEST = 100
"""Items of a list that has to have some."""


def sample(schema: Any, depth: int = 0) -> Any:
    """Return the plainest value of a schema, as far as its commonest keywords say; always the same."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    for several in ("enum", "examples"):
        if isinstance(schema.get(several), list) and schema[several]:
            return schema[several][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(choice), list) and schema[choice]:
            return sample(schema[choice][0], depth + 1)
    return _of_type(schema, depth)


def _of_type(schema: Mapping[str, Any], depth: int) -> Any:
    named = schema.get("type", "object" if "properties" in schema else None)
    kind = named[0] if isinstance(named, list) and named else named
    if kind == "object":
        properties = schema.get("properties")
        found = properties.items() if isinstance(properties, Mapping) else ()
        return {name: sample(part, depth + 1) for name, part in found}
    if kind == "array":
        least = schema.get("minItems")
        return [sample(schema.get("items"), depth + 1)] * (min(least, _LONGEST) if isinstance(least, int) else 0)
    if kind in ("integer", "number"):
        return _number(schema)
    return {"string": "", "boolean": False}.get(str(kind))


def _number(schema: Mapping[str, Any]) -> int | float:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float):
        return least
    return min(most, 0) if isinstance(most, int | float) else 0
