"""The clock of the database server, read without asking it each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
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
        self._lock = Lock()
        self._anchor: _Anchor | None = None
        self._refresh_at = 0.0

    def now(self) -> datetime:
        """Return the server's present instant, cut to milliseconds.

        Raises:
            Unavailable: the server has never answered. Later failures leave the last anchor in use.
        """
        anchor = self._anchor
        if anchor is None or self._monotonic() >= self._refresh_at:
            anchor = self._refreshed()
        return cut_instant(anchor.at + timedelta(seconds=self._monotonic() - anchor.reading))

    def _refreshed(self) -> _Anchor:
        """Ask the server, one thread at a time; the others go on with the old anchor if there is one."""
        if not self._lock.acquire(blocking=self._anchor is None) and self._anchor is not None:
            return self._anchor
        try:
            if self._anchor is None or self._monotonic() >= self._refresh_at:
                self._anchor = self._ask()
                self._refresh_at = self._monotonic() + self._refresh_every
            return self._anchor
        except Unavailable:
            if self._anchor is None:
                raise
            self._refresh_at = self._monotonic() + _RETRY_AFTER.total_seconds()
            return self._anchor
        finally:
            self._lock.release()

    @store_errors()
    def _ask(self) -> _Anchor:
        sent = self._monotonic()
        local_time: datetime = self._store.database.client.admin.command("hello")["localTime"]
        received = self._monotonic()
        # the answer was on its way for half of the round trip
        return _Anchor(at=local_time.replace(tzinfo=UTC) + timedelta(seconds=(received - sent) / 2), reading=received)
