"""Waiting for changes: a reader that is up to date is woken by the next commit."""

from __future__ import annotations

from datetime import timedelta
from threading import BoundedSemaphore, Condition
from time import monotonic

from sandbox.state_service import changes
from sandbox.state_service.changes import ChangePage
from sandbox.state_service.database import Database

_SHORT_WAIT = timedelta(milliseconds=250)


class CommitSignal:
    """Counts commits and wakes those who wait for one."""

    def __init__(self) -> None:
        """Start at zero commits."""
        self._condition = Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How many commits there were."""
        return self._count

    def commit(self) -> None:
        """Count a commit and wake everybody."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait_beyond(self, count: int, timeout: timedelta) -> None:
        """Return when there were more commits than that, or after the time-out."""
        with self._condition:
            self._condition.wait_for(lambda: self._count > count, timeout.total_seconds())


class ChangeFeed:
    """Reads changes, and waits a bounded time when there are none yet."""

    def __init__(self, database: Database, signal: CommitSignal, max_waiting: int) -> None:
        """Take the log to read and the signal of its commits.

        Args:
            database: where the changes are.
            signal: counts the commits of that database.
            max_waiting: how many may wait at once; whoever comes later waits a quarter of a second at most,
                so that it neither holds a thread for long nor asks again in a tight loop.
        """
        self._database = database
        self._signal = signal
        self._places = BoundedSemaphore(max_waiting)

    def read(self, after: int, limit: int, patience: timedelta) -> ChangePage:
        """Return the changes after a cursor; none if the patience ran out or the cursor is beyond the end."""
        page, _ = self._look(after, limit)
        if page.changes or page.next_cursor < after or not patience:
            return page
        if not self._places.acquire(blocking=False):
            return self._wait(after, limit, min(patience, _SHORT_WAIT))
        try:
            return self._wait(after, limit, patience)
        finally:
            self._places.release()

    def _wait(self, after: int, limit: int, patience: timedelta) -> ChangePage:
        deadline = monotonic() + patience.total_seconds()
        while True:
            page, commits = self._look(after, limit)
            remaining = timedelta(seconds=deadline - monotonic())
            if page.changes or remaining <= timedelta(0):
                return page
            self._signal.wait_beyond(commits, remaining)

    def _look(self, after: int, limit: int) -> tuple[ChangePage, int]:
        # counted before the look: a commit in between is then noticed as one more
        commits = self._signal.count
        with self._database.reading() as connection:
            return changes.read(connection, after, limit), commits
