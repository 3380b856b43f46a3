"""Search attributes: which may be given, and by what they are found."""

from __future__ import annotations

import math
from typing import Any

import pytest

from workflow_service.domain.attributes import LONGEST, MOST, Attribute, attribute_issues, is_term, term, terms


@pytest.mark.parametrize(("value", "written"), [
    ("x:y", "x:y"), ("", ""), ("ü €", "ü €"), (7, "7"), (-2**63, str(-2**63)), (7.0, "7"), (0.25, "0.25"), (-0.0, "0"),
    (1e300, "1e+300"), (True, "true"), (False, "false"), ("7", "7"), ("true", "true")])
def test_the_term_of_an_attribute(value: Attribute, written: str) -> None:
    assert term("a.b", value) == f"a.b:{written}"
    assert is_term(term("a.b", value))
    assert not list(attribute_issues({"a.b": value}))


def test_each_attribute_has_its_term() -> None:
    assert terms({"a": 1, "b": "c"}) == ("a:1", "b:c")


@pytest.mark.parametrize("text", ["", "a", ":x", "a b:x", "a\n:x", "a:\n", "a:\ud800", f"{'a' * 65}:x",
                                  f"a:{'x' * (LONGEST + 1)}"])
def test_what_is_no_term(text: str) -> None:
    assert not is_term(text)


@pytest.mark.parametrize("value", [None, [], {}, math.nan, math.inf, 2**63, -2**63 - 1, "x" * (LONGEST + 1), "a\tb",
                                   "\ud800", "\x00", b"x"])
def test_what_is_no_value(value: Any) -> None:
    assert [(issue.path, issue.code) for issue in attribute_issues({"a": value}, "at")] == [("at.a", "bad_value")]


@pytest.mark.parametrize("key", ["", "a b", "a:b", "ü", "$x", "a\n", "a" * 65])
def test_what_is_no_name(key: str) -> None:
    assert [(issue.path, issue.code) for issue in attribute_issues({key: 1})] == [("attributes", "bad_key")]


def test_too_many() -> None:
    assert not list(attribute_issues({f"a{number}": number for number in range(MOST)}))
    too_many = {f"a{number}": "\n" for number in range(MOST + 1)}
    assert [issue.code for issue in attribute_issues(too_many)] == ["too_many"]
