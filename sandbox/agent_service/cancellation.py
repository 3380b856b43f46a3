"""The wish to stop one piece of running work, given by one thread and obeyed by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from sandbox.agent_service.errors import Cancelled


class Cancellation:
    """Tells the thread that does the work to stop, and the thread that asked for it when the work has ended."""

    def __init__(self) -> None:
        self._requested = Event()
        self._ended = Event()
        self._lock = Lock()
        self._actions: list[Callable[[], None]] = []

    def request(self) -> None:
        """Ask the work to stop: runs the actions that stop what it waits for."""
        with self._lock:
            self._requested.set()
            for action in self._actions:
                action()

    def check(self) -> None:
        """Let the work go on.

        Raises:
            Cancelled: it was asked to stop.
        """
        if self._requested.is_set():
            raise Cancelled("The execution was cancelled.")

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the work is asked to stop.

        Raises:
            Cancelled: it was.
        """
        self._requested.wait(seconds)
        self.check()

    @contextmanager
    def stopping_by(self, action: Callable[[], None]) -> Iterator[None]:
        """Have an action run if the work is asked to stop within the block; it must be quick and not fail.

        Raises:
            Cancelled: the work was asked to stop before or within the block, whatever else happened in it.
        """
        with self._lock:
            self.check()
            self._actions.append(action)
        try:
            yield
        finally:
            with self._lock:
                self._actions.remove(action)
            self.check()

    def mark_ended(self) -> None:
        """Say that the work has ended, in whatever way."""
        self._ended.set()

    def wait_until_ended(self, seconds: float) -> bool:
        """Wait for the end of the work; False if it goes on after that time."""
        return self._ended.wait(seconds)
