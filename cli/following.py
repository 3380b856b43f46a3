"""Follow an execution to its end, or to another point: one reading after the other, and what changed between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cli.errors import CommandFailed, Refused, Unreachable
from cli.views.executions import attempts, note
from cli.views.statuses import ENDED

Document = Mapping[str, Any]
_OUTAGE = timedelta(seconds=30)
"""How long the service may be away."""
_SERVER_ERROR = 500


class TookTooLong(CommandFailed):
    """Raised when an execution has not come to where it is followed in the time that it was given."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A block that went on since the last reading."""

    block_id: str
    status: str
    attempt: int
    note: str


def has_ended(execution: Document) -> bool:
    """Say whether an execution has ended."""
    return execution["status"] in ENDED


def follow(read: Callable[[], Document], patience: timedelta, interval: timedelta,
           until: Callable[[Document], bool] = has_ended) -> Iterator[Document]:
    """Yield an execution as it is, again and again, last when it is where it was to come.

    A service that is away for a while is asked again.

    Args:
        read: returns the execution.
        patience: when to give up.
        interval: how long to rest between two readings.
        until: says whether it is there.

    Raises:
        TookTooLong: it was not there in time.
        CommandFailed: it can't be read.
    """
    deadline = time.monotonic() + patience.total_seconds()
    answered = time.monotonic()
    while True:
        try:
            execution = read()
            answered = time.monotonic()
        except (Unreachable, Refused) as error:
            if _is_final(error) or time.monotonic() - answered > _OUTAGE.total_seconds():
                raise
        else:
            yield execution
            if until(execution):
                return
        if time.monotonic() > deadline:
            raise TookTooLong(f"Gave up after {patience.total_seconds():.0f} s; the execution goes on.")
        time.sleep(interval.total_seconds())


def changes(before: Document | None, after: Document, now: datetime) -> list[Change]:
    """Return the blocks whose status or attempt is not what it was; at first those that are not pending."""
    blocks = before["blockExecutions"] if before else []
    known = {block["blockId"]: (block["status"], attempts(block)) for block in blocks}
    return [Change(block_id=block["blockId"], status=block["status"], attempt=attempts(block),
                   note=note(block, now))
            for block in after["blockExecutions"]
            if known.get(block["blockId"], ("pending", 0)) != (block["status"], attempts(block))]


def _is_final(error: Unreachable | Refused) -> bool:
    return isinstance(error, Refused) and error.status < _SERVER_ERROR
