"""What is known of an input is compared with the agent's schema, what an expression gives is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_block, an_agent
from workflow_service.services.static_inputs import static_input_issues

SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["text"], "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "maxLength": 5}, "count": {"type": "integer", "minimum": 1},
        "mode": {"enum": ["fast", "slow"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        "nested": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
        "either": {"anyOf": [{"type": "object", "required": ["x"], "properties": {"x": {"const": 1}}},
                             {"type": "object", "required": ["y"]}]}}}


@pytest.mark.parametrize("configuration", [
    {"text": "short"},
    {"text": "${input.text}", "count": "${input.count}", "mode": "${input.mode}"},
    {"text": "Dear ${input.name}, how do you do?"},
    {"text": "a", "tags": "${input.tags}"},
    {"text": "a", "tags": ["${input.a}", "${input.a}"]},
    {"text": "a", "nested": {"a": "${input.a}"}},
    {"text": "a", "nested": "${input.nested}"},
    {"text": "a", "either": {"x": "${input.x}"}},
    {"text": "a", "either": {"x": 1}},
])
def test_what_may_fit_is_no_fault(configuration: dict[str, Any]) -> None:
    assert static_input_issues(a_block(configuration=configuration), an_agent(input_schema=SCHEMA), "c") == ()


@pytest.mark.parametrize(("configuration", "faults"), [
    ({}, [("c", "required")]),
    ({"text": "too long"}, [("c.text", "maxLength")]),
    ({"text": 7}, [("c.text", "type")]),
    ({"text": "a", "colour": "${input.colour}"}, [("c", "additionalProperties")]),
    ({"text": "a", "count": "number ${input.count}"}, [("c.count", "type")]),
    ({"text": "${input.text}", "count": 0}, [("c.count", "minimum")]),
    ({"text": "${input.text}", "mode": "medium"}, [("c.mode", "enum")]),
    ({"text": "a", "tags": ["${input.a}", 7]}, [("c.tags[1]", "type")]),
    ({"text": "a", "tags": ["${input.a}", "b", "c"]}, [("c.tags", "maxItems")]),
    ({"text": "a", "nested": {"b": "${input.a}"}}, [("c.nested", "required")]),
    ({"text": "a", "nested": ["${input.a}"]}, [("c.nested", "type")]),
    ({"text": "a", "either": {"x": 2}}, [("c.either", "anyOf")]),
])
def test_what_can_not_fit_is_a_fault(configuration: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    issues = static_input_issues(a_block(configuration=configuration), an_agent(input_schema=SCHEMA), "c")
    assert [(issue.path, issue.code) for issue in issues] == faults


def test_rule_that_depends_on_an_expression_is_left_to_the_run() -> None:
    schema = {"if": {"properties": {"mode": {"const": "fast"}}}, "then": {"required": ["speed"]}}
    block = a_block(configuration={"mode": "${input.mode}"})
    assert static_input_issues(block, an_agent(input_schema=schema), "c") == ()
    known = a_block(configuration={"mode": "fast"})
    assert [issue.code for issue in static_input_issues(known, an_agent(input_schema=schema), "c")] == ["required"]


def test_schema_that_can_not_be_used_is_said() -> None:
    issues = static_input_issues(a_block(configuration={"a": 1}), an_agent(input_schema={"type": 7}), "c")
    assert [issue.code for issue in issues] == ["bad_schema"]
