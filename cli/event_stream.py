"""Server-sent events, as the service sends them to those who follow something."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cli.errors import Refused, Unreachable

_OUTAGE = timedelta(seconds=30)
"""How long the service may be away."""
_COME_AGAIN = (429, *range(500, 600))


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """One event of a stream."""

    name: str
    """``message`` unless it was given another."""
    identifier: str | None
    """What a later connection names to go on after it; None if it has none."""
    content: Any


def read_events(lines: Iterable[str]) -> Iterator[StreamEvent]:
    """Yield the events that these lines are; one that is cut off is left out."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                yield StreamEvent(name=fields.get("event", "message"), identifier=fields.get("id"),
                                  content=json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


def follow_events(connect: Callable[[str | None], Iterable[StreamEvent]], pause: timedelta) -> Iterator[StreamEvent]:
    """Yield the events of a stream to its end, last the one that is named ``end``; a lost connection is made again.

    Args:
        connect: opens the stream after the event with this id; None for all of it.
        pause: how long to rest before the next connection.

    Raises:
        CommandFailed: it can't be followed, or the service is away for too long.
    """
    last: str | None = None
    heard = time.monotonic()
    while True:
        try:
            for event in connect(last):
                last, heard = event.identifier or last, time.monotonic()
                yield event
                if event.name == "end":
                    return
            heard = time.monotonic()  # it ended as it was to, after a while
        except (Unreachable, Refused) as error:
            is_final = isinstance(error, Refused) and error.status not in _COME_AGAIN
            if is_final or time.monotonic() - heard > _OUTAGE.total_seconds():
                raise
        time.sleep(pause.total_seconds())
