"""Every query of executions has an index that serves what has to be equal, the order, and the ranges, in that order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, cast

import pytest

from tests.support.queries import Keys, Query, RecordingStore, assert_served, served
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.executions import COLLECTION, ExecutionsInMongo

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
EQUAL: Mapping[str, dict[str, Any]] = {
    "status": {"statuses": (ExecutionStatus.FAILED,)},
    "statuses": {"statuses": (ExecutionStatus.FAILED, ExecutionStatus.CANCELLED)},
    "template": {"template_id": "t"}, "tag": {"tag": "t"}, "person": {"created_by": "ann"},
    "code": {"error_code": "timeout"}, "attribute": {"attributes": ("order:7",)},
    "attributes": {"attributes": ("order:7", "vip:true")}}
RANGES: list[dict[str, Any]] = [
    {}, {"started_after": AT}, {"started_before": AT}, {"ended_after": AT, "ended_before": AT + timedelta(days=1)},
    {"started_after": AT, "ended_before": AT}]
PLACE = Place(at=AT, identifier="x1")


def queries_of(call: Callable[[ExecutionsInMongo], object]) -> list[Query]:
    """Return the queries that a call of the repository makes."""
    store = RecordingStore()
    call(ExecutionsInMongo(cast(Store, store)))
    return store.queries


@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("name", [None, *EQUAL])
@pytest.mark.parametrize("after", [None, PLACE])
def test_a_list_with_one_filter_and_any_range_has_its_index(name: str | None, ranges: dict[str, Any],
                                                            after: Place | None) -> None:
    wanted = ExecutionFilter(**(EQUAL[name] if name else {}), **ranges, after=after)
    queries = queries_of(lambda repository: repository.page("w", wanted))
    assert len(queries) == 2
    assert_served(COLLECTION, queries)


@pytest.mark.parametrize(("one", "other"), [pair for pair in combinations(EQUAL, 2)
                                            if EQUAL[pair[0]].keys() != EQUAL[pair[1]].keys()])
def test_of_several_filters_one_has_an_index_in_the_order_of_the_list(one: str, other: str) -> None:
    wanted = replace(ExecutionFilter(**EQUAL[one], started_after=AT, after=PLACE), **EQUAL[other])
    assert_served(COLLECTION, queries_of(lambda repository: repository.page("w", wanted)), apart=1)


def test_the_other_queries() -> None:
    assert_served(COLLECTION, queries_of(lambda repository: repository.due(AT, 10)))
    [found] = queries_of(lambda repository: repository.get("w", "x1"))
    assert "_id" in found.conditions
    [alive] = queries_of(lambda repository: repository.live(None, "x1", 10))
    assert alive.order == [("_id", 1)]


@pytest.mark.parametrize(("index", "serves"), [
    ((("w", 1), ("a", 1), ("at", -1), ("_id", 1), ("r", 1)), True),
    ((("a", 1), ("w", 1), ("at", -1), ("_id", 1), ("r", 1)), True),
    ((("w", 1), ("at", -1), ("_id", 1), ("r", 1)), False),
    ((("w", 1), ("a", 1), ("at", 1), ("_id", 1), ("r", 1)), False),
    ((("w", 1), ("a", 1), ("r", 1), ("at", -1), ("_id", 1)), False),
    ((("w", 1), ("a", 1), ("at", -1), ("_id", 1)), False)])
def test_what_it_means_to_serve(index: Keys, serves: bool) -> None:
    query = Query({"w": 1, "a": {"$in": [1, 2]}, "r": {"$gte": 1}}, [("at", -1), ("_id", 1)])
    assert served(query, index, 0) is serves
