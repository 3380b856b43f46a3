"""Threads that take turns: exactly one goes on at a time, so what they do has one order and no race.

Work that calls an agent has to stop in the middle of a call and go on there later, after other work. Only a thread can
do that without changing the code that it runs. The one who leads lets a thread go on and waits until it has ended its
work or paused; nothing here depends on which of two threads the system would have chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread, current_thread

Work = Callable[[], None]


class _Dismissed(BaseException):
    """Raised in a paused thread that is not to go on; no exception that work may catch."""


class _Turn:
    """What one waits for until another gives it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def give(self) -> None:
        self._lock.release()

    def take(self) -> None:
        self._lock.acquire()


class Worker(Thread):
    """A thread that does one piece of work after the other, each when it is its turn."""

    def __init__(self, leader: _Turn) -> None:
        """Give the turn back to this leader."""
        super().__init__(daemon=True, name="simulated-worker")
        self.work: Work | None = None
        """What it does, or has paused in; None while it is idle."""
        self.error: BaseException | None = None
        """What its work raised."""
        self.turn = _Turn()
        self.is_dismissed = False
        self._leader = leader

    def run(self) -> None:
        """Work until dismissed."""
        while True:
            self.turn.take()
            if self.is_dismissed:
                return
            try:
                if self.work is not None:
                    self.work()
            except _Dismissed:
                pass
            except BaseException as error:  # the leader raises it
                self.error = error
            self.work = None
            self._leader.give()

    def pause(self) -> None:
        """Let the leader go on, and wait for the next turn."""
        self._leader.give()
        self.turn.take()
        if self.is_dismissed:
            raise _Dismissed


class Turns:
    """The workers of one simulation; all methods but ``pause`` are the leader's."""

    def __init__(self, most: int) -> None:
        """Have at most so many workers; each begins when it is needed."""
        self._most = most
        self._leader = _Turn()
        self._all: list[Worker] = []
        self._idle: list[Worker] = []

    @property
    def has_idle(self) -> bool:
        """True when work may begin."""
        return bool(self._idle) or len(self._all) < self._most

    def begin(self, work: Work) -> None:
        """Let an idle worker do this until it ends or pauses."""
        worker = self._idle.pop() if self._idle else self._hire()
        worker.work = work
        self.go_on(worker)

    def go_on(self, worker: Worker) -> None:
        """Let a worker that has paused go on until its work ends or pauses again.

        Raises:
            Exception: what the work raised.
        """
        worker.turn.give()
        self._leader.take()
        if worker.work is None:
            self._idle.append(worker)
        if worker.error is not None:
            error, worker.error = worker.error, None
            raise error

    @staticmethod
    def pause(announce: Callable[[Worker], None]) -> None:
        """Stop the work that calls this until the leader lets it go on.

        Args:
            announce: is told who pauses.
        """
        worker = current_thread()
        if not isinstance(worker, Worker):
            raise RuntimeError("only simulated work can pause")
        announce(worker)
        worker.pause()

    def dismiss(self) -> None:
        """End all threads; work that has paused is not ended."""
        for worker in self._all:
            paused, worker.is_dismissed = worker.work is not None, True
            worker.turn.give()
            if paused:
                self._leader.take()
                worker.turn.give()
            worker.join()
        self._all, self._idle = [], []

    def _hire(self) -> Worker:
        worker = Worker(self._leader)
        self._all.append(worker)
        worker.start()
        return worker
