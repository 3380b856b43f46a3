"""Filling the registry's texts with the input."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from sandbox.agent_service.errors import WorkFailed
from sandbox.agent_service.tools.placeholders import fill, fill_text

VALUES = {"name": "x", "count": 3, "none": None, "deep": {"list": [1]}, "trick": "{name}", "call": {"blockId": "b"}}


@pytest.mark.parametrize(("template", "filled"), [
    ("{name}", "x"), ("{count}", 3), ("{deep.list}", [1]), ("{none}", None), ("{call.blockId}", "b"),
    ("a {name} {count}", "a x 3"), ("{deep}!", '{"list": [1]}!'), ("<{none}>", "<>"), ("{missing?}", None),
    ("<{missing?}>", "<>"), ("{trick}", "{name}"), ("{trick} {name}", "{name} x"),
    ("{ name } {} {1}", "{ name } {} {1}"),
    ({"a": ["{count}", {"b": "{name}"}], "c": 1, "d": None}, {"a": [3, {"b": "x"}], "c": 1, "d": None}),
    ({"a": "{missing?}", "b": "{none?}", "c": "{none}"}, {"c": None}),
])
def test_fill(template: Any, filled: Any) -> None:
    assert fill(template, VALUES) == filled


@pytest.mark.parametrize("template", ["{missing}", "{name.more}", "{deep.missing}", {"a": ["{missing} text"]}])
def test_a_missing_field_is_named(template: Any) -> None:
    with pytest.raises(WorkFailed) as raised:
        fill(template, VALUES)
    assert (raised.value.code, raised.value.failure_class) == ("missing_input", "configuration")


def test_values_in_a_text_are_encoded() -> None:
    text = fill_text("/{a}/{b}", {"a": "x/../y?", "b": 1}, encode=lambda value: quote(value, safe=""))
    assert text == "/x%2F..%2Fy%3F/1"
