"""Plain values of JSON Schemas."""

from __future__ import annotations

from typing import Any

import pytest

from workflow_service.simulation.samples import sample


@pytest.mark.parametrize(("schema", "value"), [
    ({}, None), (True, None), ("text", None),
    ({"const": 7}, 7), ({"default": "x", "type": "string"}, "x"), ({"enum": ["low", "high"]}, "low"),
    ({"examples": [{"a": 1}]}, {"a": 1}), ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
    ({"type": "string"}, ""), ({"type": "boolean"}, False), ({"type": "null"}, None),
    ({"type": ["number", "null"]}, 0), ({"type": "integer", "minimum": 3}, 3), ({"type": "number", "maximum": -1}, -1),
    ({"type": "array", "items": {"type": "string"}}, []),
    ({"type": "array", "minItems": 2, "items": {"const": 1}}, [1, 1]),
    ({"properties": {"a": {"type": "string"}, "b": {"type": "object"}}}, {"a": "", "b": {}}),
    ({"type": "object", "properties": []}, {}),
])
def test_a_value_that_the_schema_allows(schema: Any, value: Any) -> None:
    assert sample(schema) == value


def test_it_ends_whatever_the_schema_is() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["again"] = schema
    assert sample(schema)["again"]["again"]
