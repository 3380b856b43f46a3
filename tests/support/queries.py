"""Queries as the driver is given them, and whether an index serves them: equality, the order, the ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from workflow_service.repositories.mongo.indexes import INDEXES, MONGODB_INDEXES

Keys = tuple[tuple[str, int], ...]
"""Of an index, in order."""


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
        elif isinstance(wanted, dict) and not set(wanted) <= {"$in", "$all"}:
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


def all_indexes(collection: str) -> list[Keys]:
    """Return the keys of all indexes of a collection."""
    models = [*INDEXES[collection], *MONGODB_INDEXES[collection]]
    return [(("_id", 1),), *(tuple(model.document["key"].items()) for model in models)]


def assert_served(collection: str, queries: Iterable[Query], apart: int = 0) -> None:
    """Hold each query against the indexes of its collection."""
    for query in queries:
        assert any(served(query, index, apart) for index in all_indexes(collection)), (query.conditions, query.order)
