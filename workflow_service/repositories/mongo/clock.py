"""The clock of the database server, read without asking it each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from workflow_service.domain.errors import Unavailable
from workflow_service.repositories.instants import cut_instant
from workflow_service.repositories.mongo.connection import Store, store_errors

_RETRY_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class _Anchor:
    """An instant of the server's clock, and the reading of our own, which nobody sets, at that moment."""

    at: datetime
    reading: float
    good_until: float
    """The reading at which the server is to be asked again."""


class StoreClock:
    """Counts on from the last instant that the server told; this machine's wall clock plays no part."""

    def __init__(self, store: Store, *, refresh_every: timedelta = timedelta(minutes=1),
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take the database; it is asked when the time is first needed.

        Args:
            store: the database.
            refresh_every: after this long the server is asked again.
            monotonic: seconds that only grow.
        """
        self._store = store
        self._refresh_every = refresh_every.total_seconds()
        self._monotonic = monotonic
        self._asking = Lock()
        self._anchor: _Anchor | None = None

    def now(self) -> datetime:
        """Return the server's present instant, cut to milliseconds.

        Raises:
            Unavailable: the server has never answered. Later failures leave the last anchor in use.
        """
        anchor = self._current()
        return cut_instant(anchor.at + timedelta(seconds=self._monotonic() - anchor.reading))

    def _current(self) -> _Anchor:
        """Return the anchor; one thread at a time asks for a new one, and none waits for another."""
        anchor = self._anchor
        if anchor is None:
            self._anchor = anchor = self._ask()
        elif self._monotonic() >= anchor.good_until and self._asking.acquire(blocking=False):
            try:
                self._anchor = anchor = self._ask_again(anchor)
            finally:
                self._asking.release()
        return anchor

    def _ask_again(self, anchor: _Anchor) -> _Anchor:
        try:
            return self._ask()
        except Unavailable:
            return replace(anchor, good_until=self._monotonic() + _RETRY_AFTER.total_seconds())

    @store_errors()
    def _ask(self) -> _Anchor:
        sent = self._monotonic()
        local_time: datetime = self._store.database.client.admin.command("hello")["localTime"]
        received = self._monotonic()
        # the answer was on its way for half of the round trip
        return _Anchor(at=local_time.replace(tzinfo=UTC) + timedelta(seconds=(received - sent) / 2), reading=received,
                       good_until=received + self._refresh_every)
