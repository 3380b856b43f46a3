"""Cursors: where a page of a list ended, as a text that clients hand back unread.

A cursor names the last thing of a page by the values that the list is sorted by, so the next page starts right behind
it, whatever was added or removed meanwhile, and however long the list is. It is no secret and gives no right: every
query with it still names its workspace.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from workflow_service.domain.errors import Invalid, Issue
from workflow_service.domain.ids import is_id

MAX_CURSOR = 1000
"""Characters of a cursor."""
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands in a list with the latest first, and by id among those of one instant."""

    at: datetime
    """The instant that the list is sorted by, aware."""
    identifier: str

    @classmethod
    def of_cursor(cls, text: str) -> Place:
        """Return the place that a cursor names.

        Raises:
            Invalid: it is no cursor of such a list.
        """
        at, identifier = decode_cursor(text, datetime, str)
        if not is_id(identifier):
            raise _no_cursor()
        return cls(at=at, identifier=identifier)

    def cursor(self) -> str:
        """Return the place as a cursor."""
        return encode_cursor(self.at, self.identifier)


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Some things of a list."""

    items: Sequence[T]
    total: int
    """How many there are in all, before the first page and after the last."""
    next_cursor: str | None
    """What the next page is asked for with; None if this is the last."""


def page_of(found: Sequence[T], limit: int, total: int, place: Callable[[T], Place]) -> Page[T]:
    """Cut what was found to a page.

    Args:
        found: asked for with ``limit + 1``, so that one more says that there is another page.
        limit: how many things the page may have.
        place: where one of them stands in the list.
    """
    items = found[:limit]
    return Page(items=items, total=total, next_cursor=place(items[-1]).cursor() if len(found) > limit else None)


def encode_cursor(*values: str | int | datetime) -> str:
    """Return values as one text of letters, digits, ``-`` and ``_``; instants are kept to the millisecond."""
    texts = [(value - _EPOCH) // _MILLISECOND if isinstance(value, datetime) else value for value in values]
    raw = json.dumps(texts, separators=(",", ":")).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(text: str, *kinds: type[Any]) -> tuple[Any, ...]:
    """Return the values that ``encode_cursor`` was given.

    Args:
        text: what a client sent.
        kinds: the type of each value: ``str``, ``int`` or ``datetime``.

    Raises:
        Invalid: it does not hold values of these types; the fault's path is ``cursor``.
    """
    try:
        values = _values(text)
        if len(values) != len(kinds):
            raise ValueError("another number of values")
        return tuple(_value(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, OverflowError, RecursionError) as error:
        raise _no_cursor() from error


def _values(text: str) -> list[Any]:
    if len(text) > MAX_CURSOR:
        raise ValueError("too long")
    values = json.loads(b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True))
    if not isinstance(values, list):
        raise ValueError("not a list")
    return values


def _value(value: Any, kind: type[Any]) -> Any:
    if type(value) is not (int if kind is datetime else kind):
        raise ValueError("another type")
    if kind is datetime:
        return _EPOCH + value * _MILLISECOND
    if kind is str:
        str(value).encode()  # half a surrogate pair is no text that a store could compare with
    return value


def _no_cursor() -> Invalid:
    return Invalid("The cursor can't be used.", [Issue(
        path="cursor", code="bad_cursor", message="This is not the nextCursor of a page of this list.")])
