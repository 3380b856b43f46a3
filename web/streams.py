"""Answers that go on: server-sent events, told to a bounded number of clients for a bounded time.

Each one holds a thread of its process, so beyond a number of them a client is told to come back later, and each ends
after a while: the client connects again and says by ``Last-Event-ID`` where it was. What is new is read from the store,
at a steady pace, because any process may have written it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any, cast

import structlog
from flask import Flask, Response, current_app, request

from web.errors import TooManyFollowers
from workflow_service.domain.errors import Invalid, Issue, WorkflowServiceError

MIMETYPE = "text/event-stream"
_EXTENSION = "streams"
_BEGIN = "retry: 2000\n\n"
"""The first that a client gets: how many milliseconds it is to wait before it connects again."""
_HEARTBEAT = ": still here\n\n"
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Whoever stands in between is to pass each event on at once."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of a stream."""

    sequence: int
    content: Mapping[str, Any] | None
    """What is told; None for something that this client does not want to know."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was new when somebody looked."""

    events: Sequence[Told]
    end: Mapping[str, Any] | None
    """What is told last, if nothing more will come; None while more may come."""


Read = Callable[[int], Reading]
"""Reads what comes after a sequence number."""


class Streams:
    """The streams of one process."""

    def __init__(self, most: int = 8, patience: timedelta = timedelta(minutes=5),
                 pace: timedelta = timedelta(seconds=1), heartbeat: timedelta = timedelta(seconds=15)) -> None:
        """Allow some streams.

        Args:
            most: how many at once.
            patience: after how long each ends.
            pace: how long to rest between two readings.
            heartbeat: after how long without an event a client gets a sign of life.
        """
        self.most = most
        self.is_serving: Callable[[], bool] = _always
        """Says whether the process serves requests; when it does not any more, streams end."""
        self._patience = patience
        self._pace = pace
        self._heartbeat = heartbeat
        self._open = 0
        self._lock = Lock()

    def answer(self, read: Read, after: int = 0) -> Response:
        """Return the answer that goes on; it begins where the request says that it was.

        Args:
            after: where it begins if the request does not say.

        Raises:
            TooManyFollowers: as many as are allowed are told of something already.
            WorkflowServiceError: the first reading failed.
        """
        known = last_event_id()
        after = after if known is None else known
        dumps = cast(Callable[[Any], str], current_app.json.dumps)
        self._take()
        try:
            response = Response(self._events(read, after, read(after), dumps), mimetype=MIMETYPE, headers=_HEADERS)
        except BaseException:
            self._free()
            raise
        response.call_on_close(self._free)  # also if nobody ever reads from it
        return response

    def _events(self, read: Read, after: int, reading: Reading, dumps: Callable[[Any], str]) -> Iterator[str]:
        yield _BEGIN
        end = time.monotonic() + self._patience.total_seconds()
        spoken = time.monotonic()
        while True:
            for event in reading.events:
                after = event.sequence
                if event.content is not None:
                    yield f"id: {after}\ndata: {dumps(event.content)}\n\n"
                    spoken = time.monotonic()
            if reading.end is not None:
                yield f"event: end\ndata: {dumps(reading.end)}\n\n"
                return
            if time.monotonic() - spoken >= self._heartbeat.total_seconds():
                yield _HEARTBEAT
                spoken = time.monotonic()
            if time.monotonic() >= end or not self.is_serving():
                return
            time.sleep(self._pace.total_seconds())
            try:
                reading = read(after)
            except WorkflowServiceError as error:
                _log.warning("stream_broken_off", error=error.code)
                return  # the client connects again and learns why

    def _take(self) -> None:
        with self._lock:
            if self._open >= self.most:
                raise TooManyFollowers
            self._open += 1

    def _free(self) -> None:
        with self._lock:
            self._open -= 1


def register_streams(app: Flask, streams: Streams | None = None) -> None:
    """Let endpoints of an application answer with streams."""
    app.extensions[_EXTENSION] = streams or Streams()


def streams_of(app: Flask) -> Streams:
    """Return the streams of an application."""
    return cast(Streams, app.extensions[_EXTENSION])


def stream(read: Read, after: int = 0) -> Response:
    """Answer the present request with a stream; it begins after this number unless the request names another."""
    return streams_of(current_app).answer(read, after)


def last_event_id() -> int | None:
    """Return the number of the event that the client got last; None if it says none.

    Raises:
        Invalid: it is no number.
    """
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid("The header Last-Event-ID can't be used.", [Issue(
            path="Last-Event-ID", code="invalid", message="It has to be the id of an event of this stream.")])
    return int(text)


def _always() -> bool:
    return True
