"""How a worker process ends within its grace period, whatever its blocks wait for.

Told to end (SIGTERM), Celery takes no more messages and waits for the tasks that run. A task ends with the block that
it has at hand; the next one is dispatched. A block whose agent takes longer than the grace period would hold the
process until somebody kills it, and then wait for its lease to run out. So a little before the end such blocks are
handed back to others, what was gathered is flushed, and the process leaves: at once, with ``os._exit``, for Python
itself would wait for the threads that still hang in their calls. The messages of these blocks are not acknowledged and
come again; they find the blocks claimed, or done.

This is for the ``threads`` pool, where agents are waited for in the process that hears the signal. With ``prefork``
they are waited for in its children, which hear nothing: they end the tasks that they have, and what is killed after the
grace period is found by its lease.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from threading import Thread

from workflow_service.services.handing_back import HandingBack

_LONGEST_RESERVE = timedelta(seconds=5)
_RESERVE = 4
"""A fourth of the grace period is for handing back and flushing."""

Deadline = float
"""The monotonic instant at which the process has left."""


class Ending:
    """Sees to it that a process that was told to end has left in time."""

    def __init__(self, grace: timedelta) -> None:
        """Wait to be told."""
        self._grace = grace
        self._told: SimpleQueue[Deadline] = SimpleQueue()

    def begin(self) -> None:
        """Let the grace period begin; may be called by a signal handler, and again, which changes nothing."""
        # of all queues this one may be filled by who has just interrupted its filling
        self._told.put(time.monotonic() + self._grace.total_seconds())

    def watch(self, handing_back: HandingBack, flush: Callable[[], None]) -> None:
        """Wait to be told, then nearly to the end of the grace period; the body of a thread.

        If all tasks have ended in time the process ends by itself, and this thread with it.

        Args:
            flush: brings what was gathered to where it belongs.
        """
        reserve_s = min(self._grace / _RESERVE, _LONGEST_RESERVE).total_seconds()
        deadline = self._told.get()
        time.sleep(max(0.0, deadline - reserve_s - time.monotonic()))
        _wind_up(handing_back, flush, deadline)
        os._exit(0)


def _wind_up(handing_back: HandingBack, flush: Callable[[], None], deadline: Deadline) -> None:
    """Hand back and flush; return as soon as nothing is left to wait for, and never after the deadline."""
    def work() -> None:
        handed_back = handing_back.hand_back_all()
        flush()
        if not handed_back:  # nothing hangs, so the process is about to end by itself
            time.sleep(max(0.0, deadline - time.monotonic()))
    thread = Thread(target=work, name="winding-up", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
