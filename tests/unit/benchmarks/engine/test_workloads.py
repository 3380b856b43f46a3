"""The shapes are what they are said to be, and all modes can run them."""

from __future__ import annotations

import json

import pytest

from benchmarks.engine.canvas_driver import canvas
from benchmarks.engine.template import template_document
from benchmarks.engine.workloads import LAYERED, Shape, shape_of, step_result, workloads
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.template import RetryPolicy
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.validation import template_issues

NAMES = ["line:5", "flow:5", "fan:3", "slots:12", "layered", "gate", "told"]


def is_series_parallel(shape: Shape) -> bool:
    """Take nodes with one way in and one way out away until none is left; a single edge remains of what was simple."""
    edges = {(before, step) for step, found in shape.predecessors.items() for before in found}
    while True:
        inner = [step for step in range(1, shape.size - 1)
                 if sum(edge[1] == step for edge in edges) == sum(edge[0] == step for edge in edges) == 1]
        if not inner:
            return len(edges) == 1
        (before,), (after,) = ([edge for edge in edges if edge[side] == inner[0]] for side in (1, 0))
        edges = (edges - {before, after}) | {(before[0], after[1])}


@pytest.mark.parametrize(("name", "size", "edges", "levels"), [
    ("line:5", 5, 4, [1, 1, 1, 1, 1]), ("fan:3", 5, 6, [1, 3, 1]), ("layered", 20, 34, [1, 5, 5, 4, 4, 1]),
    ("gate", 2, 1, [1, 1]), ("told", 1, 0, [1])])
def test_a_shape_has_its_steps_and_edges(name: str, size: int, edges: int, levels: list[int]) -> None:
    shape = shape_of(name)
    assert shape.size == size
    assert sum(len(before) for before in shape.predecessors.values()) == edges
    assert sum(len(after) for after in shape.successors.values()) == edges
    assert [len(level) for level in shape.levels] == levels


def test_the_layers_are_no_steps_in_line_and_side_by_side() -> None:
    assert is_series_parallel(shape_of("fan:3"))
    assert is_series_parallel(shape_of("line:5"))
    assert not is_series_parallel(Shape(name="", predecessors=LAYERED))


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="no shape 'ring'"):
        shape_of("ring")


def test_a_result_is_about_100_bytes() -> None:
    assert 90 <= len(json.dumps(step_result(10))) <= 110


@pytest.mark.parametrize("name", NAMES)
def test_the_service_takes_the_template(name: str) -> None:
    template = parse_template(template_document(shape_of(name)), RetryPolicy())
    assert template_issues(template, None) == ()
    plan = compile_template(template)
    assert sum(not node.is_join for node in plan.nodes.values()) == shape_of(name).size


def test_only_the_slots_have_the_usual_limit() -> None:
    limits = {name: template_document(shape_of(name)).get("globalSettings") for name in NAMES}
    assert limits["slots:12"] is None
    assert all(limits[name] for name in NAMES if name != "slots:12")


@pytest.mark.parametrize(("name", "steps"), [("line:5", 5), ("fan:3", 5)])
def test_a_canvas_has_every_step(name: str, steps: int) -> None:
    assert json.dumps(canvas(shape_of(name))).count('"canvas.step"') == steps


def test_a_quick_run_has_the_same_workloads() -> None:
    quick, whole = (workloads(is_quick=is_quick) for is_quick in (True, False))
    assert {work.name for work in quick} == {work.name for work in whole}
    assert sum(work.steps for work in quick) < sum(work.steps for work in whole)
    assert next(work.steps for work in whole if work.name == "W3") == 1000
