"""The rules of joins, failure policies and end blocks in templates."""

from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.validation import template_issues

a, b, f = (a_block_document(name) for name in "abf")


def faults(*blocks: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where a template of these blocks breaks which rule."""
    return [(issue.path, issue.code) for issue in template_issues(parse_template(a_template_document(*blocks)), None)]


def join(policy: dict[str, Any], *dependencies: str) -> dict[str, Any]:
    """Return the block ``j`` with a join policy."""
    return a_block_document("j", *dependencies, joinPolicy=policy)


def failing(policy: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the block ``a`` with a failure policy."""
    return a_block_document("a", onFailure=policy, **more)


def ending(block_id: str = "e", *dependencies: str, **more: Any) -> dict[str, Any]:
    """Return a block that ends its execution."""
    return {"blockId": block_id, "dependencies": list(dependencies), "end": {}, **more}


TO_F = {"action": "branch", "nextBlocks": ["f"]}


@pytest.mark.parametrize(("policy", "ways", "expected"), [
    ({}, "ab", []), ({"mode": "any"}, "ab", []), ({"mode": "any"}, "", []), ({"mode": "n", "count": 2}, "ab", []),
    ({"mode": "any", "late": "cancel"}, "ab", []), ({"mode": "n", "late": "cancel"}, "ab", []),
    ({"late": "cancel"}, "ab", [("late", "nothing_is_late")]),
    ({"mode": "all", "late": "cancel"}, "a", [("late", "nothing_is_late")]),
    ({"mode": "any", "count": 2}, "ab", [("count", "not_allowed")]),
    ({"count": 2}, "ab", [("count", "not_allowed")]),
    ({"mode": "n", "count": 3}, "ab", [("count", "out_of_range")]),
    ({"mode": "n", "count": 1}, "", [("count", "out_of_range")])])
def test_join_policies(policy: dict[str, Any], ways: str, expected: list[tuple[str, str]]) -> None:
    assert faults(a, b, join(policy, *ways)) == [(f"blocks[2].joinPolicy.{name}", code) for name, code in expected]


@pytest.mark.parametrize(("edges", "mode", "expected"), [
    (64, "any", []), (65, "any", [("blocks[0].joinPolicy", "too_many")]), (65, "all", [])])
def test_a_join_that_begins_early_has_few_edges(edges: int, mode: str, expected: list[tuple[str, str]]) -> None:
    names = [f"b{number}" for number in range(edges)]
    assert faults(join({"mode": mode}, *names), *map(a_block_document, names)) == expected


@pytest.mark.parametrize(("policy", "expected"), [
    ({"action": "fail"}, []), ({"action": "continue"}, []), (TO_F, []),
    ({"action": "branch"}, [("nextBlocks", "branch_or_nothing")]),
    ({"action": "continue", "nextBlocks": ["f"]}, [("nextBlocks", "branch_or_nothing")]),
    ({"action": "branch", "nextBlocks": ["z"]}, [("nextBlocks[0]", "unknown_block")])])
def test_failure_policies(policy: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(failing(policy), f) == [(f"blocks[0].onFailure.{name}", code) for name, code in expected]


def test_a_block_is_reached_by_success_or_by_failure() -> None:
    choice = {"type": "exclusive", "branches": [{"default": True, "nextBlocks": ["f"]}]}
    assert faults(failing(TO_F, conditions=choice), f) == [("blocks[0].onFailure.nextBlocks[0]", "two_ways")]


def test_a_failure_branch_may_not_lead_back() -> None:
    assert faults(a_block_document("f"), a_block_document("a", "f", onFailure=TO_F)) == [("blocks", "cycle")]


@pytest.mark.parametrize(("more", "expected"), [
    ({}, []), ({"end": {"status": "failed", "message": "No."}}, []),
    ({"agentId": "echo"}, [("agentId", "not_allowed")]), ({"toolType": "script"}, [("toolType", "not_allowed")]),
    ({"wait": {"duration": 1}}, [("end", "several_kinds")]), ({"map": {"items": "[1]"}}, [("map", "not_allowed")])])
def test_end_blocks(more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(ending(**more)) == [(f"blocks[0].{name}", code) for name, code in expected]
