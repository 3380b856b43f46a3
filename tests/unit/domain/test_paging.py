"""Cursors come back as they were, and whatever else a client sends is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.domain.errors import Invalid
from workflow_service.domain.ids import is_id
from workflow_service.domain.paging import MAX_CURSOR, Place, decode_cursor, encode_cursor, page_of

INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


@given(st.lists(st.integers() | st.text() | INSTANTS, max_size=3))
def test_cursor_holds_what_it_was_given(values: list[Any]) -> None:
    cursor = encode_cursor(*values)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    if len(cursor) <= MAX_CURSOR:
        assert list(decode_cursor(cursor, *(type(value) for value in values))) == values


@given(INSTANTS, st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True))
def test_place_is_the_same_after_the_journey(at: datetime, identifier: str) -> None:
    place = Place(at=at, identifier=identifier)
    assert len(place.cursor()) <= MAX_CURSOR
    assert Place.of_cursor(place.cursor()) == place


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    try:
        assert is_id(Place.of_cursor(text).identifier)
    except Invalid as error:
        assert [issue.path for issue in error.issues] == ["cursor"]


@pytest.mark.parametrize("values", [
    ("a", 1), (1,), (1, 2), (1, "a", "b"), (1, ""), (1, "a b"), (1, "a\0"), (1, "\ud800"), (10**30, "a"), ()])
def test_other_values_are_no_place(values: tuple[Any, ...]) -> None:
    with pytest.raises(Invalid):
        Place.of_cursor(encode_cursor(*values))


@pytest.mark.parametrize("cursor", ["W3RydWUsImEiXQ", "WzEuNSwiYSJd", "W1tdLCJhIl0", "e30", "!" * 8, "a" * 5000, ""])
def test_other_json_is_no_place(cursor: str) -> None:
    with pytest.raises(Invalid):
        Place.of_cursor(cursor)


def test_page_has_a_next_one_only_if_more_was_found() -> None:
    def place(identifier: str) -> Place:
        return Place(at=datetime(2026, 1, 1, tzinfo=UTC), identifier=identifier)

    page = page_of(["a", "b", "c"], 2, 9, place)
    assert (page.items, page.total, page.next_cursor) == (["a", "b"], 9, place("b").cursor())
    assert page_of(["a", "b"], 2, 2, place).next_cursor is None
    assert page_of([], 2, 0, place).next_cursor is None
