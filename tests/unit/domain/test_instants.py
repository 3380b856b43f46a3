"""Instants as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.domain.instants import instant_text, parse_instant

NOON = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("text", "expected"), [
    ("2030-01-31T12:00:00Z", NOON), ("2030-01-31T12:00:00.000Z", NOON), ("2030-01-31t12:00:00z", NOON),
    ("2030-01-31 12:00:00Z", NOON), ("2030-01-31T14:00:00+02:00", NOON), ("2030-01-31T06:30:00-05:30", NOON),
    ("2030-01-31T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
    ("2030-01-31T12:00:00.123456789Z", NOON + timedelta(microseconds=123456))])
def test_what_is_an_instant(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize("said", [
    "", "tomorrow", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31T12:00Z", "2030-02-30T12:00:00Z",
    "2030-01-31T25:00:00Z", "20300131T120000Z", "2030-W05-4T12:00:00Z", "2030-01-31T12:00:00Z\n",
    "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "\u0662030-01-31T12:00:00Z", None, 5, NOON,
    ["2030-01-31T12:00:00Z"]])
def test_what_is_none(said: object) -> None:
    assert parse_instant(said) is None


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_is_read(at: datetime) -> None:
    found = parse_instant(instant_text(at.astimezone(timezone(timedelta(hours=3)))))
    assert found is not None and timedelta(0) <= at - found < timedelta(milliseconds=1)
