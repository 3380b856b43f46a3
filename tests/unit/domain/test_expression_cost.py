"""Loops that would stop a process for long are refused before they begin; those that people write are not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.expression_cost import MAX_COST, cost
from workflow_service.domain.expressions import evaluate


def variables(length: int) -> dict[str, Any]:
    """Return variables with lists of this length."""
    lines = [{"price": number, "text": "x" * 50, "count": 1} for number in range(length)]
    return {"item": list(range(length)),
            "input": {"list": list(range(length)), "lines": lines, "odd key": list(range(length)), "rate": 2},
            "context": {}, "blocks": {"a-b": {"output": {"list": list(range(length))}}}}


@pytest.mark.parametrize("source", [
    "input.rate > 1", "size(input.list) > 3", "input.list + input.list", "'.map(' + '.all(' + string(input.rate)"])
def test_what_has_no_loop_costs_nothing(source: str) -> None:
    assert cost(source.replace("'.map('", "''").replace("'.all('", "''"), variables(100_000)) == 0
    evaluate(source, variables(1000))


@pytest.mark.parametrize("source", [
    "input.list.all(a, a >= 0)",
    "input.lines.filter(a, a.price > 3)",
    "input.lines.map(a, a.price)",
    "input.lines.map(a, {'sum': a.price * input.rate, 'count': a.count + 1})",
    "input.lines.filter(a, a.count == 1).map(a, a.price)",
    "input.list.all(a, input.list.exists_one(b, b == a))",
    "blocks['a-b'].output.list.exists(a, a > 900)",
])
def test_what_people_write_about_a_thousand_lines(source: str) -> None:
    evaluate(source, variables(1000))


@pytest.mark.parametrize("source", [
    "input.list.all(a, input.list.all(b, a + b >= 0))",
    "input.list.map(a, input.list).size() > 0",
    "input.list.map(a, input.list + [a]).size() > 0",
    "input.list.map(a, a * 2).size() > 0",
    "input.lines.filter(a, a.price > 3)",
    "input['odd key'].map(a, a).size() > 0",
    "blocks['a-b'].output.list.map(a, a).size() > 0",
    "blocks[input.list[0] == 0 ? 'a-b' : 'b'].output.list.map(a, a).size() > 0",
    "item.map(a, a).size() > 0",
    "{'x': input}['x'].list.map(a, a).size() > 0",
    "input.list.all(a, // )\n input.list.all(b, b >= 0))",
    "input.list.all(a, ')' != ')))' && input.list.all(b, b >= 0))",
    r"input.list.all(a, '\')' != ')' && input.list.all(b, b >= 0))",
    "input . list\n. all (a, input . list . all (b, b >= 0))",
])
def test_what_would_take_minutes_is_refused_at_once(source: str) -> None:
    given = variables(20_000)
    began = time.process_time()
    with pytest.raises(ExpressionError, match="loops over more"):
        evaluate(source, given)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("source", [
    "(input.list + input.list + input.list + input.list).all(a, input.list.all(b, b >= 0))",
    "input.list.map(a, [a, a, a, a, a, a, a, a]).map(b, [b, b, b, b, b, b, b, b]).size() > 0",
])
def test_what_makes_lists_longer_counts(source: str) -> None:
    short = source.replace("(input.list + input.list + input.list + input.list)", "input.list").replace(", a, a", "")
    assert cost(source, variables(500)) > 2 * cost(short, variables(500))
    assert cost(source, variables(2000)) > MAX_COST
