"""Every query of executions has an index that serves what has to be equal, the order, and the ranges, in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Self, cast

import pytest

from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.executions import COLLECTION, ExecutionsInMongo
from workflow_service.repositories.mongo.indexes import INDEXES, MONGODB_INDEXES

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Keys = tuple[tuple[str, int], ...]
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


@dataclass
class Query:
    """A query as the driver was given it."""

    conditions: Mapping[str, Any]
    order: list[tuple[str, int]] = field(default_factory=list)

    def sort(self, key: Any, direction: int = 1) -> Self:
        """Remember the order."""
        self.order = [(key, direction)] if isinstance(key, str) else list(key)
        return self

    def skip(self, _: int) -> Self:
        """Go on."""
        return self

    def limit(self, _: int) -> Self:
        """Go on."""
        return self

    def __iter__(self) -> Any:
        """Find nothing."""
        return iter(())


class RecordingStore:
    """A store, and its one collection, that remembers queries and has nothing."""

    is_embedded = False

    def __init__(self) -> None:
        """Start empty."""
        self.queries: list[Query] = []

    def collection(self, _: str) -> Self:
        """Return itself."""
        return self

    def find(self, conditions: Mapping[str, Any], _: Any = None) -> Query:
        """Remember the query."""
        self.queries.append(Query(conditions))
        return self.queries[-1]

    def find_one(self, conditions: Mapping[str, Any], _: Any = None) -> None:
        """Remember the query."""
        self.queries.append(Query(conditions))

    def count_documents(self, conditions: Mapping[str, Any]) -> int:
        """Remember the query."""
        self.queries.append(Query(conditions))
        return 0


def queries_of(call: Callable[[ExecutionsInMongo], object]) -> list[Query]:
    """Return the queries that a call of the repository makes."""
    store = RecordingStore()
    call(ExecutionsInMongo(cast(Store, store)))
    return store.queries


def parts(conditions: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the fields that have to be equal to something, and those that have to lie in a range."""
    equal: set[str] = set()
    ranges: set[str] = set()
    for name, wanted in conditions.items():
        if name in ("$and", "$or"):
            for below in wanted:
                found_equal, found_ranges = parts(below)
                equal |= found_equal
                ranges |= found_ranges
        elif isinstance(wanted, dict) and set(wanted) != {"$in"}:
            ranges.add(name)
        else:
            equal.add(name)
    return equal, ranges


def served(query: Query, index: Keys, apart: int) -> bool:
    """Say whether an index serves a query.

    Args:
        apart: how many of the equal fields may be compared on what was read.
    """
    equal, ranges = parts(query.conditions)
    names = [name for name, _ in index]
    leading = 0
    while leading < len(names) and names[leading] in equal:
        leading += 1
    after = index[leading:]
    in_order = list(after[:len(query.order)]) == query.order
    return leading >= max(1, len(equal) - apart) - (not equal) and in_order and ranges <= {name for name, _ in after}


def all_indexes() -> list[Keys]:
    """Return the keys of all indexes of executions."""
    models = [*INDEXES[COLLECTION], *MONGODB_INDEXES[COLLECTION]]
    return [(("_id", 1),), *(tuple(model.document["key"].items()) for model in models)]


def assert_served(queries: Iterable[Query], apart: int = 0) -> None:
    for query in queries:
        assert any(served(query, index, apart) for index in all_indexes()), (query.conditions, query.order)


@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("name", [None, *EQUAL])
@pytest.mark.parametrize("after", [None, PLACE])
def test_a_list_with_one_filter_and_any_range_has_its_index(name: str | None, ranges: dict[str, Any],
                                                            after: Place | None) -> None:
    wanted = ExecutionFilter(**(EQUAL[name] if name else {}), **ranges, after=after)
    queries = queries_of(lambda repository: repository.page("w", wanted))
    assert len(queries) == 2
    assert_served(queries)


@pytest.mark.parametrize(("one", "other"), [pair for pair in combinations(EQUAL, 2)
                                            if EQUAL[pair[0]].keys() != EQUAL[pair[1]].keys()])
def test_of_several_filters_one_has_an_index_in_the_order_of_the_list(one: str, other: str) -> None:
    wanted = replace(ExecutionFilter(**EQUAL[one], started_after=AT, after=PLACE), **EQUAL[other])
    assert_served(queries_of(lambda repository: repository.page("w", wanted)), apart=1)


def test_the_other_queries() -> None:
    assert_served(queries_of(lambda repository: repository.due(AT, 10)))
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
