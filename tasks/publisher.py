"""Publishing beside those who ask for it, so that nobody waits for a broker that does not answer.

A broker that was frozen holds whoever publishes for seconds, however short the time-outs are that it can live with. So
one thread of the process publishes, and the others wait for it a moment at most; while it is held up, or the broker
refuses, they do not wait at all. What was handed over is still published when the broker answers again: a message is a
hint, so one that comes late, or beside the one that the sweep has sent instead, does no harm.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Full, Queue
from threading import Event, Lock, Thread

from workflow_service.services.ports import Dispatch

PATIENCE = timedelta(milliseconds=300)
"""How long one who hands over waits to hear that it was published."""
CAPACITY = 100
"""How many requests may wait for the thread; those who wait for an answer are never so many."""
_DRAINED_WITHIN = timedelta(seconds=2)


@dataclass(kw_only=True, eq=False)
class _Order:
    dispatches: Sequence[Dispatch]
    done: Event = field(default_factory=Event)
    was_sent: bool = False


class Publisher:
    """Publishes on a thread of its own, which begins with the first order of each process."""

    def __init__(self, publish: Callable[[Dispatch], bool], patience: timedelta = PATIENCE,
                 capacity: int = CAPACITY) -> None:
        """Publish by this function.

        Args:
            publish: says whether it has sent; does not raise.
            patience: how long a caller waits for that.
            capacity: how many orders may wait.
        """
        self._publish = publish
        self._patience_s = patience.total_seconds()
        self._capacity = capacity
        self._lock = Lock()
        self._pid: int | None = None
        self._orders: Queue[_Order] = Queue()
        self._answers = True

    def publish(self, dispatches: Sequence[Dispatch]) -> bool:
        """Hand over and return True once all is published; False if it is not known to be, or not taken at all."""
        order = _Order(dispatches=dispatches)
        try:
            self._queue().put_nowait(order)
        except Full:
            return False
        if not self._answers:
            return False
        if order.done.wait(self._patience_s):
            return order.was_sent
        self._answers = False
        return False

    def drain(self, within: timedelta = _DRAINED_WITHIN) -> None:
        """Wait until all that was handed over has been tried, no longer than this."""
        if self._pid == os.getpid():
            orders = self._orders
            with orders.all_tasks_done:
                orders.all_tasks_done.wait_for(lambda: not orders.unfinished_tasks, within.total_seconds())

    def _queue(self) -> Queue[_Order]:
        """Return the orders of this process; a forked child begins anew, for it has no thread of its parent."""
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._orders, self._answers = Queue(self._capacity), True
                    Thread(target=self._run, args=(self._orders,), name="publisher", daemon=True).start()
                    self._pid = os.getpid()
                    atexit.register(self.drain)
        return self._orders

    def _run(self, orders: Queue[_Order]) -> None:
        while True:
            order = orders.get()
            order.was_sent = all([self._publish(dispatch) for dispatch in order.dispatches])
            self._answers = order.was_sent
            order.done.set()
            orders.task_done()
