"""Copies of what the service has stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.seeding import block_copy, execution_copy, execution_id, template_copy, template_id

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CREATED = datetime(2026, 6, 1, tzinfo=UTC)
TEMPLATE: dict[str, Any] = {
    "_id": "contract-review", "templateId": "contract-review", "name": "Review of a contract", "version": "1.0.0",
    "tags": ["old"], "metadata": {"category": "old", "author": "legal"}, "createdAt": CREATED, "updatedAt": CREATED,
    "blocks": [{"blockId": "read"}]}
EXECUTION: dict[str, Any] = {
    "_id": "abc", "executionId": "abc", "templateId": "contract-review", "status": "completed", "createdAt": CREATED,
    "startedAt": CREATED + timedelta(seconds=1), "completedAt": CREATED + timedelta(seconds=3)}


def test_a_template_keeps_its_content_and_gets_an_id_of_its_own() -> None:
    copy = template_copy(TEMPLATE, 1234, BEGAN)
    assert copy["_id"] == copy["templateId"] == template_id(1234)
    assert (copy["blocks"], copy["metadata"]["author"]) == (TEMPLATE["blocks"], "legal")
    assert TEMPLATE["metadata"]["category"] == "old"


def test_a_version_keeps_its_number_in_its_id() -> None:
    assert template_copy({**TEMPLATE, "_id": "contract-review:1.0.0"}, 7, BEGAN)["_id"] == f"{template_id(7)}:1.0.0"


def test_the_times_of_an_execution_are_moved_together() -> None:
    copy = execution_copy(EXECUTION, 2, BEGAN)
    assert BEGAN < copy["createdAt"] < BEGAN + timedelta(hours=1)
    assert copy["startedAt"] - copy["createdAt"] == timedelta(seconds=1)
    assert copy["completedAt"] - copy["createdAt"] == timedelta(seconds=3)


def test_later_copies_are_younger() -> None:
    at = [execution_copy(EXECUTION, number, BEGAN)["createdAt"] for number in range(3)]
    assert at == sorted(set(at))


def test_executions_are_of_few_templates() -> None:
    assert {execution_copy(EXECUTION, number, BEGAN)["templateId"] for number in range(500)} == {
        template_id(number) for number in range(100)}


def test_a_block_belongs_to_the_copied_execution() -> None:
    copy = block_copy({"_id": "abc:read", "executionId": "abc", "blockId": "read", "status": "completed"}, 5)
    assert (copy["_id"], copy["executionId"]) == (f"{execution_id(5)}:read", execution_id(5))


def test_some_templates_have_category_and_tag_that_are_asked_for() -> None:
    copies = [template_copy(TEMPLATE, number, BEGAN) for number in range(1000)]
    found = [copy for copy in copies if copy["metadata"]["category"] == "category-3" and "tag-03" in copy["tags"]]
    assert 0 < len(found) < 50
