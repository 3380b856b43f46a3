"""Each kind of segment becomes exactly one kind of canvas, and what it carries is ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery.canvas import Signature, _chain, chord, group

from tasks import canvas, names
from tests.support.builders import a_block, a_gate, a_plan
from tests.support.dispatches import SHAPES, a_dispatch, a_fan, a_line
from workflow_service.domain.compiler import MAX_JOIN_EDGES, segments
from workflow_service.domain.plan import Segment

RUN, JOINED = names.RUN_BLOCK, names.RUN_JOINED_BLOCK


def shape(signature: Signature) -> Any:
    """Return a canvas in plain values: a task as (task, block, what the canvas brings after it), the others by name."""
    if isinstance(signature, chord):
        return {"chord": [shape(one) for one in members(signature.tasks)], "body": shape(signature.body)}
    if isinstance(signature, (group, _chain)):
        return {type(signature).__name__.strip("_"): [shape(one) for one in signature.tasks]}
    return (signature.task, signature.args[2], signature.args[4])


def members(header: Any) -> list[Signature]:
    return list(header.tasks if isinstance(header, group) else header)


def links(signature: Signature) -> Iterator[Signature]:
    """Yield all tasks of a canvas."""
    if isinstance(signature, chord):
        for one in (*members(signature.tasks), signature.body):
            yield from links(one)
    elif isinstance(signature, (group, _chain)):
        for one in signature.tasks:
            yield from links(one)
    else:
        yield signature


@pytest.mark.parametrize(("segment", "expected"), [
    pytest.param(a_line("a"), (RUN, "a", None), id="one block"),
    pytest.param(a_line("a b c"), (RUN, "a", None), id="a run is one task, named for its first block"),
    pytest.param(a_line("a b", "c", "d e"), {"chain": [(RUN, "a", "c"), (RUN, "c", "d"), (RUN, "d", None)]},
                 id="each task of a chain knows whom it brings"),
    pytest.param(a_fan(a_line("a"), a_line("b c")), {"group": [(RUN, "a", None), (RUN, "b", None)]},
                 id="nothing joins, so nothing is counted"),
    pytest.param(a_fan(a_line("a"), a_line("b", "c")),
                 {"group": [(RUN, "a", None), {"chain": [(RUN, "b", "c"), (RUN, "c", None)]}]}, id="chain in a group"),
    pytest.param(a_fan(a_line("a"), a_line("b c"), join="d e"),
                 {"chord": [(JOINED, "a", "d"), (JOINED, "b", "d")], "body": (RUN, "d", None)},
                 id="all that are joined bring the join"),
    pytest.param(a_fan(a_line("a"), a_line("b", "c d", "e"), join="f"),
                 {"chord": [(JOINED, "a", "f"), {"chain": [(RUN, "b", "c"), (RUN, "c", "e"), (JOINED, "e", "f")]}],
                  "body": (RUN, "f", None)}, id="only the last task of a line is counted"),
])
def test_canvas_of_a_segment(segment: Segment, expected: Any) -> None:
    assert shape(canvas.build(a_dispatch(segment))) == expected


@pytest.mark.parametrize("segment", SHAPES.values(), ids=SHAPES)
def test_tasks_are_immutable_and_carry_ids_alone(segment: Segment) -> None:
    built = canvas.build(a_dispatch(segment, epoch=3))
    for link in links(built):
        assert link.immutable
        assert not link.kwargs
        assert list(link.args[:2]) == ["acme", "run"]
        assert link.args[3] == 3
    assert json.loads(json.dumps(built))


@pytest.mark.parametrize("segment", SHAPES.values(), ids=SHAPES)
def test_a_chord_is_one_level_deep(segment: Segment) -> None:
    built = canvas.build(a_dispatch(segment))
    assert not any(isinstance(one, (chord, group)) for one in _within(built))


def _within(signature: Signature) -> Iterator[Signature]:
    parts = (*members(signature.tasks), signature.body) if isinstance(signature, chord) else \
        signature.tasks if isinstance(signature, (group, _chain)) else ()
    for part in parts:
        yield part
        yield from _within(part)


def shape_of_plan(*ready: str, **before: str) -> list[Any]:
    """Return the canvases of a template's ready blocks; each block is written as ``name="those before it"``."""
    plan = a_plan(*(a_block(name, *names.split()) for name, names in before.items()))
    return [shape(canvas.build(a_dispatch(segment))) for segment in segments(plan, ready)]


def test_a_line_of_blocks_is_sent_as_tasks_of_twenty() -> None:
    line = {"b0": ""} | {f"b{number}": f"b{number - 1}" for number in range(1, 45)}
    assert shape_of_plan("b0", **line) == [{"chain": [(RUN, "b0", "b20"), (RUN, "b20", "b40"), (RUN, "b40", None)]}]


def test_a_fork_and_join_is_sent_as_a_chord() -> None:
    assert shape_of_plan("left", "right", left="", right="", join="left right", end="join") == [
        {"chord": [(JOINED, "left", "join"), (JOINED, "right", "join")], "body": (RUN, "join", None)}]


def test_a_join_of_others_too_is_not_sent_with_the_fork() -> None:
    assert shape_of_plan("left", "right", left="", right="", other="", join="left right other") == [
        {"group": [(RUN, "left", None), (RUN, "right", None)]}]


def test_a_fork_wider_than_a_join_may_be_is_sent_as_a_group() -> None:
    wide = {f"b{number}": "" for number in range(MAX_JOIN_EDGES + 1)}
    built = shape_of_plan(*wide, **wide, join=" ".join(wide))
    assert built == [{"group": [(RUN, name, None) for name in wide]}]


def test_a_join_that_asks_a_person_is_not_brought_by_a_chord() -> None:
    plan = a_plan(a_block("left"), a_block("right"), a_block("join", "left", "right", human_in_loop=a_gate()))
    built = [shape(canvas.build(a_dispatch(segment))) for segment in segments(plan, ["left", "right"])]
    assert built == [{"group": [(RUN, "left", None), (RUN, "right", None)]}]


def test_each_task_goes_to_the_queue_and_has_the_priority_of_its_run() -> None:
    plan = a_plan(a_block("a"), a_block("b", "a", queue="gpu"), a_block("c", "b", queue="gpu", priority=9),
                  a_block("x", priority=0), a_block("j", "c", "x", queue="cpu"))
    (segment,) = segments(plan, ["a", "x"])
    found = {one.args[2]: (one.options["queue"], one.options["priority"])
             for one in links(canvas.build(a_dispatch(segment)))}
    assert found == {"a": ("blocks", 0), "b": ("gpu", 0), "c": ("gpu", 9), "x": ("blocks", 1), "j": ("cpu", 0)}
