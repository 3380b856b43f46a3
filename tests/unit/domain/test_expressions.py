"""Expressions: values keep their types, text is filled in, and whatever is wrong is an ``ExpressionError``."""

import json
from typing import Any

import pytest
from hypothesis import given
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

VARIABLES: dict[str, Any] = {
    "input": {"n": 3, "f": 1.5, "one": 1.0, "s": "text", "yes": True, "none": None, "list": [1, "b", None],
              "map": {"k": {"deep": [True]}}, "blocks": {"x": 1}, "code": "${input.n}"},
    "context": {"region": "eu"},
    "blocks": {"a": {"output": {"v": 5}}, "a-b": {"output": {"v": 6}}}}


@pytest.mark.parametrize(("text", "value"), [
    ("${input.n}", 3), ("${input.f}", 1.5), ("${input.one}", 1.0), ("${input.s}", "text"), ("${input.yes}", True),
    ("${input.none}", None), ("${input.list}", [1, "b", None]), ("${input.map}", {"k": {"deep": [True]}}),
    ("${ input.n + 1 }", 4), ("${context.region}", "eu"), ("${blocks.a.output.v}", 5),
    ("${blocks['a-b'].output.v}", 6), ('${blocks["a-b"].output.v}', 6), ("${input.n > 2 ? 'many' : 'few'}", "many"),
    ("${has(blocks.c) ? blocks.c.output : null}", None), ("${[1, 2].map(x, x * 2)}", [2, 4]), ("${'${'}", "${"),
    ("${{'a': 1}}", {"a": 1}), ("${ {'a': {'b': 1}} }", {"a": {"b": 1}}),
    ("${[1].map(x, {'v': {'w': x}})}", [{"v": {"w": 1}}]), ("${'}'}", "}"), ('${"}"}', "}"),
    ("${ {'a': '}'} }", {"a": "}"}), ("${ {'{': '{'} }", {"{": "{"}),
    ("${'it\\'s}'}", "it's}"), ('${"\\"}"}', '"}'), ("${\"it's\"}", "it's"), ("${r'\\'}", "\\"),
    ("${'''it's}'''}", "it's}"), ("${'say \"}\"'}", 'say "}"')])
def test_one_expression_alone_keeps_the_type_of_its_value(text: str, value: object) -> None:
    found = resolve(text, VARIABLES)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "filled"), [
    ("n=${input.n}", "n=3"), ("${input.n}${input.n}", "33"), (" ${input.n}", " 3"), ("${input.n}\n", "3\n"),
    ("yes=${input.yes}", "yes=true"), ("none=${input.none}.", "none=."), ("f=${input.f}", "f=1.5"),
    ("l=${input.list}", 'l=[1, "b", null]'), ("m=${input.map}", 'm={"k": {"deep": [true]}}'),
    ("a ${'}'} b", "a } b"), ("${ {'a': {'b': 1}}.a.b } and ${'${'}", "1 and ${"), ("$${input.n}", "$3")])
def test_within_text_values_are_written_as_json_would_be_and_text_as_it_is(text: str, filled: str) -> None:
    assert resolve(text, VARIABLES) == filled


@pytest.mark.parametrize("text", ["", "plain", "$", "$ {input.n}", "{input.n}", "$input.n", "a } b", "$(input.n)"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert resolve(text, VARIABLES) == text
    assert list(placeholders(text)) == []


@pytest.mark.parametrize("text", ["${", "${input.n", "n=${input.n} ${input.n", "${'it}", "${{}", '${"', "${'\\"])
def test_an_expression_without_end_is_no_cel(text: str) -> None:
    *_, (_, last) = placeholders(text)
    assert last.startswith("${")
    with pytest.raises(ExpressionError):
        resolve(text, VARIABLES)


def test_a_value_is_data_and_is_not_evaluated_again() -> None:
    assert resolve("${input.code}", VARIABLES) == "${input.n}"
    assert resolve("> ${input.code}", VARIABLES) == "> ${input.n}"


def test_values_within_values_are_resolved_into_a_copy() -> None:
    configuration = {"a": ["${input.n}", {"b": "${input.s}!"}], "c": 1, "${input.n}": None}
    before = json.dumps(configuration)
    assert resolve(configuration, VARIABLES) == {"a": [3, {"b": "text!"}], "c": 1, "${input.n}": None}
    assert json.dumps(configuration) == before


@repeatable
@given(JSON.filter(lambda value: "${" not in json.dumps(value)))
def test_what_holds_no_expression_is_unchanged(value: Any) -> None:
    assert resolve(value, {}) == value
    assert list(placeholders(value)) == []


@repeatable
@given(TEXTS)
def test_any_text_can_be_quoted(text: str) -> None:
    quoted = "${" + json.dumps(text, ensure_ascii=False) + "}"
    assert resolve(quoted, {}) == text
    assert resolve(f"<{quoted}>", {}) == f"<{text}>"


@repeatable
@given(JSON)
def test_any_value_can_be_written_as_an_expression(value: Any) -> None:
    assert resolve("${" + json.dumps(value, ensure_ascii=False) + "}", {}) == value


def test_placeholders_say_where_they_are() -> None:
    value = {"a": ["x", "${input.n} and ${ input.s }"], "b": {"c": "${ {'a': {'b': 1}} }"}, "d": 1}
    assert list(placeholders(value)) == [("a[1]", "input.n"), ("a[1]", " input.s "), ("b.c", " {'a': {'b': 1}} ")]


@pytest.mark.parametrize("source", [
    "", " ", "(", "1 +", "a b", "'open", "1 = 1", "input.", "9223372036854775808", "'\ud800'", "\x00", "[1, 2",
    "import os", "x => x", "`ls`"])
def test_what_is_no_cel(source: str) -> None:
    for attempt in (compile_expression, free_names, lambda text: evaluate(text, VARIABLES)):
        with pytest.raises(ExpressionError):
            attempt(source)


@pytest.mark.parametrize("source", [
    "input.missing", "blocks.c.output", "input.list[9]", "input.list[-1]", "input.n + 1.5", "input.s + 1", "1 / 0",
    "1 % 0", "9223372036854775807 + 1", "input.s.x", "missing", "missing(1)", "int('x')", "input.s.matches('[')",
    "[1].map(x, y)", "input.n()", "duration('never')", "timestamp('today')", "{null: 1}", "uint(-1)"])
def test_what_fails_when_it_is_evaluated(source: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        evaluate(source, VARIABLES)
    assert str(raised.value).startswith(f"'{source}': ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("source", [
    "b'bytes'", "timestamp('2025-08-21T09:30:00Z')", "duration('1h')", "1.0 / 0.0", "0.0 / 0.0", "{1: 2}",
    "{true: 2}", "optional.none()", "18446744073709551615u", "[[b'']]", "{'a': [duration('1s')]}"])
def test_a_value_is_json_or_refused(source: str) -> None:
    try:
        found = evaluate(source, {"optional": 1})
    except ExpressionError:
        return
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert not isinstance(found, int) or abs(found) < 2**63


def test_times_can_be_compared() -> None:
    assert evaluate("timestamp('2025-08-21T09:30:00Z') - timestamp('2025-08-21T08:30:00Z') == duration('1h')", {})


@pytest.mark.parametrize("source", ["1", "'true'", "null", "input", "[]"])
def test_a_condition_is_true_or_false_and_nothing_else(source: str) -> None:
    with pytest.raises(ExpressionError, match="where true or false is needed"):
        evaluate_condition(source, VARIABLES)
    assert evaluate_condition("input.n == 3", VARIABLES) is True
    assert evaluate_condition("input.n == 4", VARIABLES) is False


@pytest.mark.parametrize("variables", [
    {"input": 10**400}, {"input": "\ud800"}, {"input": {"\ud800": 1}}, {"input": object()}, {"input": {1.5: 2}}])
def test_variables_that_cel_does_not_know(variables: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError):
        evaluate("input == 1", variables)


@pytest.mark.parametrize(("source", "names"), [
    ("1 + 1", ()), ("input.n", ("input",)), ("blocks.a + context.b", ("blocks", "context")), ("unknown", ("unknown",)),
    ("[1].map(x, x)", ()), ("input.l.filter(item, item.ok)", ("input",)), ("[1].all(x, y)", ("y",)),
    ("[[1]].map(x, x.exists_one(y, y == x[0]))", ()), ("[1].all(x, x > 0) && [2].all(y, y > 0)", ()),
    ("input.l . exists ( e , e > 1)", ("input",)), ("type(input) == int", ("input",)),
    ("input.x", ("input",)), ("'unknown'", ()), ("'.map(input, 1)' + input.s", ("input",)),
    ("blocks.a-b", ("b", "blocks"))])
def test_the_variables_that_an_expression_needs_from_outside(source: str, names: tuple[str, ...]) -> None:
    assert tuple(sorted(free_names(source))) == names


@pytest.mark.parametrize(("source", "names"), [
    ("1", set()), ("blocks.a", {"a"}), ("blocks.a.output.b", {"a"}), ("blocks['a-b']", {"a-b"}),
    ('blocks["a-b"]', {"a-b"}), ("blocks . a", {"a"}), ("blocks\n[ 'a' ]", {"a"}), ("has(blocks.a)", {"a"}),
    ("blocks.a.output + blocks['b'].output + blocks.a.output", {"a", "b"}), ("blocks.a['b']", {"a"}),
    ("[blocks.a].map(x, blocks['b'])", {"a", "b"}), ('"\'" + blocks.a + "\'"', {"a"}),
    pytest.param("'blocks.a'", set(), id="a name in a string"),
    pytest.param("\"blocks['a']\"", set(), id="an index in a string"),
    pytest.param("'say \"blocks.a\"' + \"it's blocks['b']\"", set(), id="quotes in strings"),
    pytest.param("1 // blocks.a", set(), id="a comment"),
    pytest.param("input.blocks.a", set(), id="a field that is called blocks"),
    pytest.param("input.blocks['a']", set(), id="a field that is called blocks, by index"),
    pytest.param("myblocks.a + blocksy.b", set(), id="names that only end or begin so")])
def test_the_blocks_that_an_expression_reads(source: str, names: set[str]) -> None:
    assert block_names(source) == names


@pytest.mark.parametrize("source", [
    pytest.param("(" * 2000 + "1" + ")" * 1999, id="deep parentheses"),
    pytest.param("[" * 2000 + "]" * 2000, id="deep lists"),
    pytest.param("{1:" * 1000 + "1" + "}" * 999, id="deep maps"),
    pytest.param("true?" * 700, id="open choices"),
    pytest.param("dyn(" * 900, id="open calls"),
    pytest.param("(" * 70_000, id="a line that the parser can't point into: it panics"),
    pytest.param("1" + "+1" * 2000, id="a sum longer than an expression may be"),
    pytest.param("'" + "x" * 1_000_000 + "'", id="a long string"),
    pytest.param("[1].all(a, " * 3 + "true" + ")" * 3, id="a loop within a loop within a loop"),
    pytest.param("['aa']" + ".map(x, x + x)" * 30, id="loops one after the other that double what they are given"),
    pytest.param("@" * 20_000, id="garbage")])
def test_hostile_sources_are_refused(source: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression(source)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("source", ["1" + "+1" * 1999, "!" * 3990 + "true", "[" + "1," * 1990 + "1]", "a" * 4000])
def test_what_is_just_short_enough_is_compiled(source: str) -> None:
    assert compile_expression(source) is compile_expression(source)


@repeatable
@given(TEXTS | st.lists(TEXTS, max_size=4).map("".join))
def test_random_sources_raise_nothing_else(source: str) -> None:
    try:
        evaluate(source, VARIABLES)
        free_names(source)
    except ExpressionError:
        pass
    assert all(name in source for name in block_names(source))
    for _, inner in placeholders("${" + source + "}"):
        assert inner in "${" + source + "}"


@pytest.mark.parametrize("text", [
    pytest.param("${" * 200_000, id="openings"), pytest.param("${'" * 100_001, id="openings and quotes"),
    pytest.param("${{" * 100_000, id="braces"), pytest.param('${"\\' * 100_001, id="quotes that are escaped"),
    pytest.param('${"' + '\\"' * 200_000, id="one string"), pytest.param("${'" + "\\'" * 200_000 + "\\", id="another")])
def test_an_expression_without_end_is_found_soon(text: str) -> None:
    assert list(placeholders(text)) == [("", text)]
