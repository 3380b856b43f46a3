"""Routing: one task goes on in place as long as the way to its workers stays the same, and a chain changes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_block, a_block_document, a_plan, a_template_document
from workflow_service.domain.compiler import segments
from workflow_service.domain.errors import Issue
from workflow_service.domain.plan import Fan, Line
from workflow_service.domain.routing import USUAL, Route
from workflow_service.domain.routing_validation import queue_issues
from workflow_service.domain.template_parsing import parse_template

GPU = Route(queue="gpu")


def line_of(*blocks: Any) -> Line:
    """Return the line that starts with block ``a``."""
    (line,) = segments(a_plan(*blocks), ["a"])
    assert isinstance(line, Line)
    return line


@pytest.mark.parametrize(("route", "other", "runs", "routes"), [
    ({}, {}, (("a", "b", "c"),), ()),
    ({}, {"queue": "blocks", "priority": 4}, (("a", "b", "c"),), ()),
    ({}, {"queue": "gpu"}, (("a",), ("b", "c")), (USUAL, GPU)),
    ({"queue": "gpu"}, {"queue": "gpu"}, (("a", "b", "c"),), (GPU,)),
    ({"queue": "gpu"}, {}, (("a",), ("b", "c")), (GPU, USUAL)),
    ({}, {"priority": 9}, (("a",), ("b", "c")), (USUAL, Route(priority=9))),
    ({"priority": 0}, {"priority": 0}, (("a", "b", "c"),), (Route(priority=0),)),
], ids=["usual", "usual, said", "another queue", "one queue", "back to the usual", "another priority", "lowest"])
def test_where_the_way_changes_another_task_goes_on(route: dict[str, Any], other: dict[str, Any], runs: Any,
                                                    routes: Any) -> None:
    line = line_of(a_block("a", **route), a_block("b", "a", **other), a_block("c", "b", **other))
    assert line == Line(runs=runs, routes=routes)


def test_each_line_of_a_fan_and_its_join_go_their_own_way() -> None:
    plan = a_plan(a_block("a"), a_block("b", queue="gpu"), a_block("j", "a", "b", priority=8))
    assert segments(plan, ["a", "b"]) == (Fan(
        lines=(Line(runs=(("a",),)), Line(runs=(("b",),), routes=(GPU,))),
        join=Line(runs=(("j",),), routes=(Route(priority=8),))),)


def test_the_template_says_what_blocks_do_not() -> None:
    document = a_template_document(a_block_document("a"), a_block_document("b", queue="cpu", priority=0),
                                   globalSettings={"queue": "gpu", "priority": 7})
    assert [block.route for block in parse_template(document).blocks] == [
        Route(queue="gpu", priority=7), Route(queue="cpu", priority=0)]


def test_queues_that_nobody_serves_are_issues() -> None:
    document = a_template_document(a_block_document("a", queue="gpu"), a_block_document("b", queue="blocks"),
                                   a_block_document("c", queue="nope"), globalSettings={"queue": "none"})
    found = list(queue_issues(parse_template(document), ("gpu", "blocks")))
    assert [(issue.path, issue.code, issue.allowed) for issue in found] == [
        ("globalSettings.queue", "unknown_queue", ("blocks", "gpu")),
        ("blocks[2].queue", "unknown_queue", ("blocks", "gpu"))]
    assert all(isinstance(issue, Issue) and "queue '" in issue.message for issue in found)
