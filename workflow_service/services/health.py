"""Health: whether what the service depends on answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Lock

log = logging.getLogger(__name__)

Probe = Callable[[], object]
"""Asks a dependency for a sign of life; raises if there is none."""


class Health:
    """Asks all dependencies at once, bounded in time."""

    def __init__(self, probes: Mapping[str, Probe], patience: timedelta = timedelta(seconds=3)) -> None:
        """Ask these, by name, and wait no longer than ``patience`` for all of them."""
        self._probes = probes
        self._patience = patience
        self._under_way: dict[str, Future[object]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="health")

    def check(self) -> Mapping[str, bool]:
        """Return for each dependency whether it answers."""
        asked = {name: self._asked(name) for name in self._probes}
        wait(asked.values(), timeout=self._patience.total_seconds())
        return {name: _answers(name, future) for name, future in asked.items()}

    def _asked(self, name: str) -> Future[object]:
        """Ask a dependency; checks that come at the same time share one question, so none waits behind another's."""
        with self._lock:
            if name not in self._under_way or self._under_way[name].done():
                self._under_way[name] = self._pool.submit(self._probes[name])
            return self._under_way[name]


def _answers(name: str, future: Future[object]) -> bool:
    if not future.done():
        return False
    error = future.exception()
    if error is not None:
        log.warning("%s does not answer: %s", name, type(error).__name__)
    return error is None
