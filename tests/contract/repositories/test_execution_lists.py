"""Lists of executions: who is in them, in which order, and page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.repositories.builders import ELSEWHERE, HERE, NOW, SECOND, new_execution
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.services.ports import ExecutionRepository

RUNNING, COMPLETED, FAILED, PENDING = (
    ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.PENDING)
ROWS: dict[str, dict[str, Any]] = {
    "x1": {"created_at": NOW, "started_at": NOW, "tags": ("legal", "urgent"), "attributes": {"order": 7, "by": "mail"}},
    "x2": {"created_at": NOW, "started_at": NOW + SECOND, "template_id": "t2", "status": COMPLETED,
           "completed_at": NOW + 2 * SECOND, "created_by": "bob", "attributes": {"order": "7"}},
    "x3": {"created_at": NOW + SECOND, "started_at": NOW + SECOND, "status": FAILED, "completed_at": NOW + 4 * SECOND,
           "error": {"code": "timeout", "message": "m"}, "tags": ("legal",), "attributes": {"order": 8, "vip": True}},
    "x4": {"created_at": NOW + SECOND, "workspace_id": ELSEWHERE, "tags": ("legal",), "attributes": {"order": 7}},
    "x5": {"created_at": NOW + 2 * SECOND, "started_at": None, "status": PENDING, "attributes": {"order": 7.0}},
}
"""Four executions here, of which one was never opened, and one elsewhere."""


@pytest.fixture
def listed(execution_repository: ExecutionRepository) -> ExecutionRepository:
    """The executions of the table."""
    for execution_id, fields in ROWS.items():
        execution_repository.insert(new_execution(execution_id, **fields))
    return execution_repository


def names(executions: Any) -> list[str]:
    """Return the ids of executions."""
    return [execution.execution_id for execution in executions]


@pytest.mark.parametrize(("wanted", "expected"), [
    ({}, ["x5", "x3", "x1", "x2"]),
    ({"statuses": (COMPLETED,)}, ["x2"]),
    ({"statuses": (COMPLETED, RUNNING, FAILED)}, ["x3", "x1", "x2"]),
    ({"template_id": "t1"}, ["x5", "x3", "x1"]),
    ({"template_id": "t2", "statuses": (RUNNING,)}, []),
    ({"tag": "legal"}, ["x3", "x1"]), ({"tag": "urgent"}, ["x1"]), ({"tag": "lega"}, []),
    ({"created_by": "bob"}, ["x2"]),
    ({"error_code": "timeout"}, ["x3"]), ({"error_code": "m"}, []),
    ({"attributes": ("order:7",)}, ["x5", "x1", "x2"]),
    ({"attributes": ("order:7", "by:mail")}, ["x1"]),
    ({"attributes": ("vip:true",)}, ["x3"]), ({"attributes": ("vip:True",)}, []),
    ({"attributes": ("order:8", "vip:1")}, []),
    ({"started_after": NOW + SECOND}, ["x3", "x2"]),
    ({"started_before": NOW + SECOND}, ["x1"]),
    ({"started_after": NOW, "started_before": NOW + 2 * SECOND}, ["x3", "x1", "x2"]),
    ({"ended_after": NOW + 2 * SECOND}, ["x3", "x2"]),
    ({"ended_before": NOW + 4 * SECOND}, ["x2"]),
    ({"ended_after": NOW, "started_before": NOW + 2 * SECOND, "tag": "legal", "statuses": (FAILED,),
      "attributes": ("order:8",), "created_by": "ann", "error_code": "timeout", "template_id": "t1"}, ["x3"]),
])
def test_who_is_in_a_list_and_in_which_order(listed: ExecutionRepository, wanted: dict[str, Any],
                                             expected: list[str]) -> None:
    page, total = listed.page(HERE, ExecutionFilter(**wanted))
    assert (names(page), total) == (expected, len(expected))


def test_lists_of_another_workspace(listed: ExecutionRepository) -> None:
    assert names(listed.page(ELSEWHERE, ExecutionFilter(tag="legal"))[0]) == ["x4"]
    assert listed.page("nowhere", ExecutionFilter()) == ([], 0)


def test_page_is_cut_by_limit_and_offset(listed: ExecutionRepository) -> None:
    page, total = listed.page(HERE, ExecutionFilter(limit=2, offset=1))
    assert (names(page), total) == (["x3", "x1"], 4)


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
@pytest.mark.parametrize("wanted", [{}, {"attributes": ("order:7",)}, {"started_before": NOW + timedelta(days=1)}])
def test_pages_follow_each_other(listed: ExecutionRepository, wanted: dict[str, Any], limit: int) -> None:
    whole, total = listed.page(HERE, ExecutionFilter(**wanted))
    read: list[Execution] = []
    while True:
        last = Place(at=read[-1].created_at, identifier=read[-1].execution_id) if read else None
        page, count = listed.page(HERE, ExecutionFilter(**wanted, after=last, limit=limit))
        assert count == total and len(page) <= limit
        if not page:
            break
        read += page
    assert read == list(whole)


def test_what_is_new_does_not_move_the_next_page(listed: ExecutionRepository) -> None:
    after = Place(at=NOW + SECOND, identifier="x3")
    listed.insert(new_execution("x9", created_at=NOW + timedelta(days=1)))
    assert names(listed.page(HERE, ExecutionFilter(after=after))[0]) == ["x1", "x2"]


def test_a_place_where_nothing_stands_any_more(listed: ExecutionRepository) -> None:
    after = Place(at=NOW, identifier="x11")
    assert names(listed.page(HERE, ExecutionFilter(after=after))[0]) == ["x2"]


def test_a_list_leaves_out_what_may_be_large(execution_repository: ExecutionRepository) -> None:
    event = Event(type="execution_started", workspace_id=HERE, execution_id="x1", source="x1", version=1, at=NOW)
    whole = new_execution(input={"a": "x" * 300_000}, context={"b": "y" * 300_000}, outbox=(event,),
                          restart_supplied={"b1": {"output": {}}})
    execution_repository.insert(whole)
    page, _ = execution_repository.page(HERE, ExecutionFilter())
    assert list(page) == [replace(whole, input={}, context={}, outbox=(), restart_supplied=None)]
