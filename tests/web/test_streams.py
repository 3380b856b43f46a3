"""Streams in small: how they end, and that their places become free again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from web.errors import TooManyFollowers
from web.streams import Read, Reading, Streams, Told, register_streams, stream
from workflow_service.domain.errors import NotFound, Unavailable

NOTHING = Reading(events=(), end=None)
SHORT = timedelta(milliseconds=20)


def told(*numbers: int) -> Reading:
    """Return a reading with these events."""
    return Reading(events=[Told(sequence=number, content={"n": number}) for number in numbers], end=None)


def reads(*readings: Reading | Exception) -> Read:
    """Return what gives these readings, the last again and again."""
    left = list(readings)

    def read(after: int) -> Reading:
        reading = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reading, Exception):
            raise reading
        return reading

    return read


@pytest.fixture
def streams() -> Streams:
    """Streams of which there is one at a time, and for a moment."""
    return Streams(most=1, patience=10 * SHORT, pace=SHORT / 10, heartbeat=SHORT)


@pytest.fixture
def context(streams: Streams) -> Iterator[object]:
    """A request."""
    app = Flask("test")
    register_streams(app, streams)
    with app.test_request_context(headers={"Last-Event-ID": "3"}) as context:
        yield context


@pytest.mark.usefixtures("context")
def test_a_stream_ends_after_a_while_and_says_no_end() -> None:
    lines = "".join(stream(reads(told(4, 5), NOTHING)).response).splitlines()  # type: ignore[arg-type]
    assert lines[:5] == ["retry: 2000", "", "id: 4", 'data: {"n": 4}', ""]
    assert ": still here" in lines and "event: end" not in lines


@pytest.mark.usefixtures("context")
def test_a_stream_tells_the_end_and_nothing_after_it() -> None:
    last = Reading(events=[Told(sequence=4, content=None)], end={"status": "failed"})
    text = "".join(stream(reads(NOTHING, last)).response)  # type: ignore[arg-type]
    assert text.endswith('event: end\ndata: {"status": "failed"}\n\n') and "id: 4" not in text


@pytest.mark.usefixtures("context")
def test_it_goes_on_after_what_the_client_knows_and_what_it_was_told() -> None:
    asked: list[int] = []

    def read(after: int) -> Reading:
        asked.append(after)
        if len(asked) == 3:
            return Reading(events=(), end={})
        return told(after + 1)

    list(stream(read, after=1).response)
    assert asked == [3, 4, 5]


@pytest.mark.usefixtures("context")
def test_a_store_that_is_away_cuts_the_stream() -> None:
    text = "".join(stream(reads(told(4), Unavailable("MongoDB"))).response)  # type: ignore[arg-type]
    assert text.endswith('data: {"n": 4}\n\n')


@pytest.mark.usefixtures("context")
def test_a_place_is_free_again_when_its_stream_is_closed_even_if_nobody_read_it() -> None:
    first = stream(reads(NOTHING))
    with pytest.raises(TooManyFollowers):
        stream(reads(NOTHING))
    first.close()
    stream(reads(NOTHING)).close()


@pytest.mark.usefixtures("context")
def test_a_stream_that_can_not_begin_takes_no_place() -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            stream(reads(NotFound("execution", "e1")))


@pytest.mark.usefixtures("context")
def test_streams_end_when_the_process_does(streams: Streams) -> None:
    streams.is_serving = lambda: False
    assert list(stream(reads(NOTHING)).response) == ["retry: 2000\n\n"]
