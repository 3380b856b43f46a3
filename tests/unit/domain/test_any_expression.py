"""Whatever stands where an expression should: it is compiled and evaluated, or refused, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import repeatable
from tests.support.json_values import JSON, TEXTS
from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.expressions import (
    block_names,
    compile_expression,
    evaluate,
    evaluate_condition,
    free_names,
    placeholders,
    resolve,
)

GOOD = (
    "input.n + 1 > 2 && !input.yes", "blocks['a-b'].output.list.map(x, x * 2)",
    "has(blocks.a) ? blocks.a.output : null",
    "input.list.filter(x, x != null).size()", "timestamp('2025-08-21T09:30:00Z') - duration('1h')",
    "{'a': [1, 2.5, -3u], \"b\": b'\\x00'}", "input.s.matches('^t.*') || input.s in ['a', 'b']", "r'\\d' + 'it\\'s'",
    "[1, 2].exists(x, [x].all(y, y > 1))", "string(input.n) + '€' // and why", "type(1) == int", "dyn(1) == 1.0",
    "int('9223372036854775807') - 1", "1 / 3 % 2", "input.map['k'].deep[0]", "\"\"\"a\nb\"\"\".size()")
PIECES = st.sampled_from([
    "(", ")", "[", "]", "{", "}", "'", '"', "'''",
    "\\", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "==", "<=", "in",
    "&&", "||", "null", "true", "input", "blocks", "context",
    ".map(x, ", ".all(", "has(", "size(", "matches(", "duration(",
    "timestamp(", "9223372036854775808", "-9223372036854775808", "1e400", "0x", "1u", "b'", "r'", "\0",
    "\ud800", "\u2028",
    "${", "}$", "//", "\n", "__proto__", "a" * 300, "('(a+)+$')", "1 / 0", "[0][9]", "uint(-1)", "bytes('\xff')"])
VARIABLES: dict[str, Any] = {
    "input": {"n": 3, "s": "text", "yes": True, "none": None, "list": [1, "b", None], "map": {"k": {"deep": [True]}}},
    "context": {}, "blocks": {"a": {"output": {"v": 5}}, "a-b": {"output": {"list": [1, 2]}}}}
ASKED: tuple[Callable[[str], object], ...] = (
    compile_expression, free_names, lambda source: evaluate_condition(source, VARIABLES))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Draw a good expression that was cut, spliced and repeated."""
    source = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(source)))
        end = draw(st.integers(start, min(len(source), start + 6)))
        middle = draw(PIECES | st.sampled_from(GOOD) | TEXTS | st.just(source[start:end] * 3))
        source = source[:start] + middle + source[end:]
    return source


MANY = 300
"""Examples of each property."""
SOURCES = mutated() | st.text(max_size=60) | st.lists(PIECES, max_size=12).map(" ".join)


def test_the_good_ones_are_good() -> None:
    for source in GOOD:
        compile_expression(source)


@settings(repeatable, max_examples=MANY)
@given(SOURCES)
def test_a_source_is_taken_or_refused(source: str) -> None:
    for ask in ASKED:
        try:
            ask(source)
        except ExpressionError:
            pass
    assert all(isinstance(name, str) for name in block_names(source))


@settings(repeatable, max_examples=MANY)
@given(SOURCES, st.dictionaries(st.sampled_from(["input", "context", "blocks", "output", "value"]), JSON))
def test_a_value_is_json_or_an_error(source: str, variables: dict[str, Any]) -> None:
    try:
        value = evaluate(source, variables)
    except ExpressionError as error:
        assert str(error)
    else:
        json.dumps(value, allow_nan=False)


@settings(repeatable, max_examples=MANY)
@given(st.lists(SOURCES.map(lambda source: f"${{{source}}}") | TEXTS, max_size=3).map("".join))
def test_a_text_with_expressions_is_filled_in_or_refused(text: str) -> None:
    found = list(placeholders({"a": [text]}))
    assert all(path.startswith("a[0]") for path, _ in found)
    try:
        resolve(text, VARIABLES)
    except ExpressionError:
        assert found


@pytest.mark.parametrize("source", [
    pytest.param("'" + "a" * 30 + "!'.matches('(a+)+$')", id="a regular expression that repeats what repeats"),
    pytest.param(".matches('(((((a{1,100}){1,100}){1,100}){1,100}){1,100})')".join(["'a'", ""]), id="one that grows"),
    pytest.param("[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, [0,1,2,3].map(c, a)))",
                 id="loops in loops"),
    pytest.param("input.list" + ".map(x, [x, x, x])" * 40, id="loops after loops"),
    pytest.param("(" * 1900 + "1" + ")" * 1900, id="depth"),
    pytest.param("!" * 3900 + "true", id="negations"),
    pytest.param("1" + "+1" * 1900, id="a long sum"),
    pytest.param("1" * 4000, id="a number"),
    pytest.param("'a'" + " + 'a'" * 600, id="a long text")])
def test_what_explodes_comes_to_an_end(source: str) -> None:
    try:
        evaluate(source, VARIABLES)
    except ExpressionError:
        pass
