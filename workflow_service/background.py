"""The two threads that go with an engine in a process: one extends leases, one finishes batches.

They are started in the process that uses the engine, after any fork: a child shares neither threads nor connections
with its parent.
"""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, Thread

from workflow_service.services.engine import Engine

_PATIENCE = timedelta(seconds=15)


class Background:
    """The threads of one engine."""

    def __init__(self, engine: Engine) -> None:
        """Prepare the threads; ``start`` starts them."""
        self._stop = Event()
        self._finisher = engine.finisher
        self._threads = [Thread(target=engine.leases.run, args=(self._stop,), name="leases", daemon=True),
                         Thread(target=engine.finisher.run, args=(self._stop,), name="finisher", daemon=True)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, within: timedelta = _PATIENCE) -> None:
        """End the threads; what was gathered is finished first, or after this time left to the sweep."""
        self._stop.set()
        self._finisher.rest(urgent=True)  # it may be waiting for a batch to fill
        end_s = time.monotonic() + within.total_seconds()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, end_s - time.monotonic()))
