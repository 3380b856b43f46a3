"""What differs between two versions of a template."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.template_diff import Change, ChangeKind, template_diff


def _of_blocks(*names: str, **changes: dict[str, Any]) -> dict[str, Any]:
    return a_template_document(*({**a_block_document(name), **changes.get(name, {})} for name in names))


def test_the_same_differs_in_nothing() -> None:
    old = _of_blocks("a", "b")
    diff = template_diff(old, {**dict(reversed(old.items())), "version": "2.0.0"})
    assert not (diff.added_blocks or diff.removed_blocks or diff.changed_blocks or diff.changed_settings)
    assert not diff.order_changed


def test_blocks_that_come_and_go() -> None:
    diff = template_diff(_of_blocks("a", "b"), _of_blocks("c", "a"))
    assert [(change.path, change.kind, change.new["blockId"]) for change in diff.added_blocks] == [
        ("/blocks/0", ChangeKind.ADDED, "c")]
    assert [(change.path, change.kind, change.old["blockId"]) for change in diff.removed_blocks] == [
        ("/blocks/1", ChangeKind.REMOVED, "b")]
    assert (diff.changed_blocks, diff.order_changed) == ((), False)


def test_order_of_blocks() -> None:
    assert template_diff(_of_blocks("a", "b"), _of_blocks("b", "a")).order_changed


@pytest.mark.parametrize(("old", "new", "changes"), [
    ({"timeout": 1}, {"timeout": 2}, [("/timeout", "changed", 1, 2)]),
    ({}, {"timeout": 2}, [("/timeout", "added", None, 2)]),
    ({"timeout": 1}, {}, [("/timeout", "removed", 1, None)]),
    ({"configuration": {"a": {"b": 1, "c": 1}}}, {"configuration": {"a": {"b": 2, "c": 1}}},
     [("/configuration/a/b", "changed", 1, 2)]),
    ({"configuration": {"a/b": 1, "m~n": 1}}, {"configuration": {"a/b": 2}},
     [("/configuration/a~1b", "changed", 1, 2), ("/configuration/m~0n", "removed", 1, None)]),
    ({"configuration": {"a": None}}, {"configuration": {}}, [("/configuration/a", "removed", None, None)]),
    ({"configuration": {"a": 1}}, {"configuration": {"a": 1.0}}, [("/configuration/a", "changed", 1, 1.0)]),
    ({"configuration": {"a": 1}}, {"configuration": {"a": True}}, [("/configuration/a", "changed", 1, True)]),
    ({"configuration": {"a": [1, 2]}}, {"configuration": {"a": [2, 1]}},
     [("/configuration/a", "changed", [1, 2], [2, 1])]),
    ({"configuration": {"a": {}}}, {"configuration": {"a": []}}, [("/configuration/a", "changed", {}, [])]),
])
def test_changes_within_a_block(old: dict[str, Any], new: dict[str, Any], changes: list[Any]) -> None:
    found, = template_diff(_of_blocks("x", "a", a=old), _of_blocks("x", "a", a=new)).changed_blocks
    assert (found.block_id, found.path) == ("a", "/blocks/1")
    assert list(found.changes) == [Change(path=f"/blocks/1{path}", kind=ChangeKind(kind), old=before, new=after)
                                   for path, kind, before, after in changes]


def test_settings_outside_the_blocks() -> None:
    old = a_template_document(name="A", globalSettings={"timeout": 1, "maxParallelBlocks": 2})
    new = a_template_document(name="B", globalSettings={"timeout": 1}, tags=["t"], version="2.0.0")
    assert [(change.path, change.kind.value) for change in template_diff(old, new).changed_settings] == [
        ("/name", "changed"), ("/globalSettings/maxParallelBlocks", "removed"), ("/tags", "added")]
