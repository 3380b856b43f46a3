"""YAML is read strictly, and what is written is read back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.json_values import JSON
from workflow_service.integrations import json_text, yaml_text
from workflow_service.integrations.yaml_text import NotYaml

ODD_TEXTS = st.sampled_from([
    "", "yes", "no", "null", "~", "1", "1.0", "1e3", "010", "12:30", "2026-01-01", "<<", "=", "- a", "a: b", "# x", "'",
    '"', "a\nb", "a\nb\n", "\na", " a\n b", "a \nb", "a\n\n\nb", "a\tb\n\tc", "\ttab\nx", "|", ">", "&a", "*a", "!t",
    "%x", "@x", "`x", "{", "[", "${a}\n${b}", "é\u2028\n\x85", "\ufeff", "😀\n😀", "---", "...", "a\r\nb", "\x7f", "\n"])
ODD_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-2**63, 2**63 - 1) | st.sampled_from([
    1e20, 1e-7, -0.0, 1.0, 1e16])


def _within(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = ODD_TEXTS | st.text(max_size=5)
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


@given(st.recursive(JSON | ODD_TEXTS | st.text() | ODD_NUMBERS, _within, max_leaves=8))
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assume(_can_be_kept(value))
    text = yaml_text.encode(value)
    again = yaml_text.decode(text)
    assert again == value and repr(again) == repr(value)
    assert yaml_text.encode(again) == text


def _can_be_kept(value: Any) -> bool:
    try:
        return bool(json_text.decode(json_text.encode([value])))
    except ValueError:
        return False


@pytest.mark.parametrize(("text", "value"), [
    ("a: 1\nb: [x, 1.5, true, null, ~]\n", {"a": 1, "b": ["x", 1.5, True, None, None]}),
    ("a: '1'\nb: \"no\"\nc: |\n  x\n  y\n", {"a": "1", "b": "no", "c": "x\ny\n"}),
    ('{"a": 1e3, "b": -0.5}', {"a": 1000.0, "b": -0.5}),
    ("# nothing\n", None),
    ("a:\n", {"a": None}),
    ("version: 1.0.0\n", {"version": "1.0.0"}),
    ("a: ${input.x}\n", {"a": "${input.x}"}),
])
def test_plain_yaml_is_read(text: str, value: Any) -> None:
    assert yaml_text.decode(text.encode()) == value


@pytest.mark.parametrize(("text", "reason"), [
    ("a: 1\nb: 2\na: 3\n", "'a' stands here twice (line 3, column 1)"),
    ("a: {x: 1, x: 2}", "twice"),
    ("a: &x 1\nb: *x\n", "anchors and aliases"),
    ("b: *x\n", "alias"),
    ("<<: {a: 1}", "quotes"),
    ("a: !!python/object:os.system x", "tags"),
    ("a: !!str 1", "tags"),
    ("a: 2026-01-01", "'2026-01-01' may be read as a date"),
    ("a: no", "true or false"),
    ("a: 12:30:00", "a number"),
    ("a: 010", "a number"),
    ("a: 0x1F", "a number"),
    ("a: .nan", "a number"),
    ("a: 18446744073709551616", "64 bits"),
    ("a: 1e999", "too large"),
    ("1: a", "name has to be a text"),
    ("? [a]\n: b", "name has to be a text"),
    ("a: 1\n---\nb: 2\n", "more than one document"),
    ("a: b\n  c: [\n", "line 2"),
    ("a: [", "line"),
    ("[" * 100_000, "nest"),  # by us, or by a libyaml that has a limit of its own
    ("- " * 100_000, "nest"),
    ("{a: " * 100_000, "nest"),
    ('a: "\\ud800"', ""),
    ('"\\0": 1', "NUL"),
    ("a: \x01", ""),
])
def test_what_is_more_than_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NotYaml) as refused:
        yaml_text.decode(text.encode())
    assert reason in str(refused.value)


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(NotYaml, match="UTF-8"):
        yaml_text.decode(b"a: \xff")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_it_is_nothing_else_is_raised(text: bytes) -> None:
    try:
        yaml_text.decode(text)
    except NotYaml:
        pass


def test_aliases_that_would_grow_are_refused_at_the_first() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi"))
    with pytest.raises(NotYaml, match="line 1"):
        yaml_text.decode(bomb.encode())


def test_texts_of_several_lines_are_shown_line_by_line() -> None:
    assert yaml_text.encode({"text": "one\ntwo\n", "b": ["x"]}) == b"text: |\n  one\n  two\nb:\n- x\n"
