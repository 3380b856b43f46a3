"""Any JSON survives the way into BSON and back."""

from __future__ import annotations

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_service.repositories.mongo.json_values import decode_json, encode_json, json_text

KEYS = st.text(max_size=6) | st.text(alphabet="$.%\0aj2u0\ud800", max_size=8) | st.sampled_from(
    ["%json", "%file", "$ref", "$id", "%24", "%u0041", "%"])
LEAVES = (st.none() | st.booleans() | st.integers() | st.integers(min_value=2**62, max_value=2**65)
          | st.floats(allow_nan=False) | st.text() | st.characters(categories=["Cs"]))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
                      max_leaves=20)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_json_comes_back(value: object) -> None:
    stored = bson.decode(bson.encode({"value": encode_json(value)}))["value"]
    assert json_text(decode_json(stored)) == json_text(value)


@pytest.mark.parametrize(("value", "stored"), [
    ({"a": [1, "x", None, True, 1.5]}, {"a": [1, "x", None, True, 1.5]}),
    ({"a.b": {"$ref": "x"}}, {"a%2Eb": {"%24ref": "x"}}),
    ({"100%": 1}, {"100%25": 1}),
    (2**64, {"%json": "18446744073709551616"}),
    ("\ud800", {"%json": '"\\ud800"'}),
    ({"\ud800": "ü"}, {"%uD800": "ü"}),
])
def test_stored_form_can_be_read(value: object, stored: object) -> None:
    assert encode_json(value) == stored


def test_deep_value_becomes_text_where_it_gets_too_deep() -> None:
    value: object = 1
    for _ in range(400):
        value = [value]
    assert len(bson.encode({"value": encode_json(value)})) > 0
    assert decode_json(encode_json(value)) == value
