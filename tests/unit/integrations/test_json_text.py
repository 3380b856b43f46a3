"""JSON that every party can keep."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.integrations import json_text

KEEPABLE = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), children, max_size=4),
    max_leaves=20)


@given(KEEPABLE)
def test_what_can_be_kept_comes_back_as_it_was(value: Any) -> None:
    assert json_text.decode(json_text.encode(value)) == value


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return containers in each other."""
    return f"{opening * depth}1{closing * depth}".encode()


@pytest.mark.parametrize("text", [
    b"", b"{", b"{}{}", b"\xff", b"nul", b"NaN", b"-Infinity", b'{"a":Infinity}', b"1e999", b"-1e999",
    b"9223372036854775808", b"-9223372036854775809", b"1" * 10_000, b'"\\ud800"', b'{"\\uDFFF":1}', b'[[["\\udc00"]]]',
    b'{"\\u0000":1}', b'[{"a":{"b\\u0000":1}}]', nested(65), nested(65, '{"a":', "}"), nested(100_000),
    '"é"'.encode("latin-1"), '"a"'.encode("utf-16"),
])
def test_what_nobody_can_keep_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        json_text.decode(text)


@pytest.mark.parametrize(("text", "name"), [
    (b'{"a":1,"a":1}', "'a'"), (b'[{"b":[{"a":1,"c":2,"a":3}]}]', "'a'"), (b'{"a":1,"\\u0061":2}', "'a'"),
    (b'{"\\ud800":1,"\\ud800":2}', r"'\ud800'"), (b'{"":1,"":2}', "''"),
    (b'{"' + b"x" * 1000 + b'":1,"' + b"x" * 1000 + b'":2}', "'" + "x" * 100 + "'")])
def test_a_name_that_stands_twice_is_refused_where_that_is_asked_for(text: bytes, name: str) -> None:
    with pytest.raises(ValueError) as raised:
        json_text.decode(text, unique_names=True)
    assert str(raised.value) == f"the name {name} stands twice in one object"


def test_others_may_say_a_name_twice_and_the_last_one_counts() -> None:
    assert json_text.decode(b'{"a":1,"a":2}') == {"a": 2}
    assert json_text.decode(b'[{"a":1},{"a":{"a":2}}]', unique_names=True) == [{"a": 1}, {"a": {"a": 2}}]


@pytest.mark.parametrize(("text", "value"), [
    (b'"\\ud83d\\ude00"', "\U0001f600"), (b'"\\u0000"', "\0"), (b"9223372036854775807", 2**63 - 1), (b"-0.5e3", -500.0),
    (b" [1,\n2] ", [1, 2]), (nested(64), None), (b"[" + b"[]," * 500 + b"1]", None),
])
def test_what_looks_like_it_is_taken(text: bytes, value: Any) -> None:
    decoded = json_text.decode(text)
    assert value is None or decoded == value


@pytest.mark.parametrize("value", [
    float("nan"), float("inf"), {"a": {1, 2}}, object(), "\ud800", {"a": b"bytes"}, {("a", "b"): 1}])
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError):
        json_text.encode(value)


def test_what_contains_itself_is_not_written() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError):
        json_text.encode(loop)


def test_any_mapping_is_an_object() -> None:
    assert json_text.encode(MappingProxyType({"a": MappingProxyType({"é": (1, 2)})})) == '{"a":{"é":[1,2]}}'.encode()
