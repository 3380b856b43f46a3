"""Directives as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.graphs import repeatable
from tests.support.json_values import JSON
from workflow_service.domain.agents import FailureClass
from workflow_service.domain.errors import Invalid
from workflow_service.simulation.directive_parsing import parse_directives
from workflow_service.simulation.directives import START, Decision, Directives, Fault, Mock, Signal


def test_nothing_is_said() -> None:
    assert parse_directives({}) == Directives(start=START)


def test_everything_is_said() -> None:
    assert parse_directives({
        "input": {"n": 1}, "context": {"region": "eu"}, "startAt": "2030-06-01T12:00:00+02:00",
        "mocks": {"a": {"output": {"x": 1}}, "agent:b": [{"durationMs": 1500}, {}]},
        "decide": {"g": "approve", "h": {"decision": "reject", "comments": "No.", "afterMs": 10},
                   "i": [{"decision": "approve", "response": {"y": 2}}]},
        "fail": {"a": "transient*2", "b": "critical"},
        "signals": [{"name": "paid"}, {"name": "sent", "afterMs": 60_000, "payload": {"z": 3}}],
    }) == Directives(
        input={"n": 1}, context={"region": "eu"}, start=datetime(2030, 6, 1, 10, tzinfo=UTC),
        mocks={"a": (Mock(output={"x": 1}),), "agent:b": (Mock(duration=timedelta(seconds=1.5)), Mock())},
        decide={"g": (Decision(approved=True),),
                "h": (Decision(approved=False, comments="No.", after=timedelta(milliseconds=10)),),
                "i": (Decision(approved=True, response={"y": 2}),)},
        fail={"a": Fault(failure_class=FailureClass.TRANSIENT, times=2),
              "b": Fault(failure_class=FailureClass.CRITICAL)},
        signals=(Signal(name="paid"), Signal(name="sent", after=timedelta(minutes=1), payload={"z": 3})))


@pytest.mark.parametrize("document", [
    None, [], 7, {"mocks": []}, {"mocks": {"a": []}}, {"mocks": {"a": 7}}, {"decide": {"a": []}},
    {"decide": {"a": None}},
    {"decide": {"a": ["approve"]}}, {"fail": {"a": "transient*0"}}, {"fail": {"a": "transient*"}}, {"fail": {"a": 1}},
    {"signals": {}}, {"signals": [{}]}, {"startAt": "2030-01-01T00:00:00"}, {"startAt": "9999-12-31T23:59:59Z"},
    {"startAt": "9999-12-31T23:59:59-12:00"}, {"startAt": 7}])
def test_bad_directives_are_refused(document: Any) -> None:
    with pytest.raises(Invalid):
        parse_directives(document)


@repeatable
@given(st.dictionaries(st.sampled_from(["input", "mocks", "decide", "fail", "signals", "startAt"]),
                       JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=3), max_size=3) | JSON)
def test_whatever_is_said_is_read_or_refused(document: Any) -> None:
    try:
        parse_directives(document)
    except Invalid as error:
        assert error.issues
