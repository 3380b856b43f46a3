"""What a filter of executions is as a query, and what its parts need of an index.

A list names its workspace, values that fields have to be equal to, and ranges; the latest comes first. An index serves
that in the order equality, sort, range. Each of the fields in ``EQUALITIES`` has one; of several in one query the
database takes the best, and compares the others on what it reads there.
"""

from __future__ import annotations

from typing import Any

from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.paging import Place
from workflow_service.repositories.mongo.connection import Raw

PARENT = "parent.executionId"
"""The field that every list asks to be equal to something: it shows what somebody started, or the children of one."""
EQUALITIES = ("status", "templateId", "tags", "createdBy", "error.code", "attributes.term")
"""The fields that a list may ask to be equal to something."""
RANGES = ("startedAt", "completedAt")
"""The fields that a list may ask to lie in a range, besides those of its order."""


def query_of(wanted: ExecutionFilter) -> Raw:
    """Return the filter as a query, without its workspace."""
    equal: Raw = {"templateId": wanted.template_id, "tags": wanted.tag, "createdBy": wanted.created_by,
                  "error.code": wanted.error_code}
    query = {name: value for name, value in equal.items() if value is not None}
    if wanted.statuses:
        query["status"] = _one_of([status.value for status in wanted.statuses])
    if wanted.attributes:  # the embedded server does not find what $all asks for within objects
        query["$and"] = [{"attributes.term": term} for term in wanted.attributes]
    ranges = {"startedAt": _range(wanted.started_after, wanted.started_before),
              "completedAt": _range(wanted.ended_after, wanted.ended_before)}
    query |= {name: bounds for name, bounds in ranges.items() if bounds}
    ends = [end for end in (wanted.started_before, wanted.ended_before) if end is not None]
    if ends:  # nothing starts or ends before it was created, so the index need not be read from its beginning
        query["createdAt"] = {"$lt": min(ends)}
    return query


def behind_place(place: Place) -> list[Raw]:
    """Return the conditions for what comes behind a place of the list; the first bounds how much of an index is read.
    """
    return [{"createdAt": {"$lte": place.at}},
            {"$or": [{"createdAt": {"$lt": place.at}}, {"_id": {"$gt": place.identifier}}]}]


def _one_of(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": values}


def _range(start: Any, end: Any) -> Raw:
    return {name: bound for name, bound in (("$gte", start), ("$lt", end)) if bound is not None}
