"""Leases that this process holds, and the thread that extends them.

An owner judges its lease by its own monotonic clock, counted from before the request that claimed it, and stops a
margin early: so it stops before anybody else may begin, whatever happens to wall clocks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Lock

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Unavailable
from workflow_service.services.ports import BlockRepository, Clock

log = logging.getLogger(__name__)

EXTENSIONS_PER_LEASE = 3
"""A lease is extended each time this part of it has gone by."""
_MARGIN = 6
"""The last sixth of a lease is not used."""


class Lease:
    """The right to work on one claimed block."""

    def __init__(self, block: BlockExecution, until_s: float, monotonic: Callable[[], float]) -> None:
        """Hold the claim of this block until a monotonic instant."""
        self.block = block
        self._until_s = until_s
        self._monotonic = monotonic
        self._lost = False

    def holds(self) -> bool:
        """Say whether the work may go on."""
        return not self._lost and self._monotonic() < self._until_s

    def extended(self, until_s: float) -> None:
        """Note that the store moved its end."""
        self._until_s = until_s

    def lose(self) -> None:
        """Note that somebody else owns the block now."""
        self._lost = True


class Leases:
    """All leases of this process."""

    def __init__(self, blocks: BlockRepository, clock: Clock, monotonic: Callable[[], float],
                 length: timedelta) -> None:
        """Keep leases of this length.

        Args:
            monotonic: seconds from a clock that is never set.
        """
        self._blocks = blocks
        self._clock = clock
        self._monotonic = monotonic
        self._length = length
        self._held: set[Lease] = set()
        self._lock = Lock()

    @contextmanager
    def held(self, block: BlockExecution, since_s: float) -> Iterator[Lease]:
        """Hold the lease of a block that was claimed by a request begun at ``since_s``, and keep it extended."""
        lease = Lease(block, self._end(since_s), self._monotonic)
        with self._lock:
            self._held.add(lease)
        try:
            yield lease
        finally:
            with self._lock:
                self._held.discard(lease)

    def extend_all(self) -> None:
        """Extend every lease once; those that are another's now are lost."""
        with self._lock:
            leases = list(self._held)
        for lease in leases:
            try:
                self._extend(lease)
            except Unavailable as error:  # the next one may get through
                log.warning("lease of %s not extended: %s", lease.block.id, error)

    def run(self, stop: Event) -> None:
        """Extend until told to stop; the body of the one heartbeat thread of a worker process."""
        while not stop.wait(self._length.total_seconds() / EXTENSIONS_PER_LEASE):
            try:
                self.extend_all()
            except Exception:  # the thread must outlive a bug: without it every long block is lost
                log.exception("leases not extended")

    def _extend(self, lease: Lease) -> None:
        since_s = self._monotonic()
        if self._blocks.extend_lease(lease.block, self._clock.now() + self._length):
            lease.extended(self._end(since_s))
        elif lease in self._held:  # otherwise the work ended meanwhile
            log.warning("lease of %s lost", lease.block.id)
            lease.lose()

    def _end(self, since_s: float) -> float:
        return since_s + self._length.total_seconds() * (1 - 1 / _MARGIN)
