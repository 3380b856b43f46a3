"""Leases that this process holds, and the thread that extends them.

An owner judges its lease by its own monotonic clock, counted from before the request that claimed it, and stops a
margin early: so it stops before anybody else may begin, whatever happens to wall clocks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Lock

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Unavailable
from workflow_service.services.claims import Claim
from workflow_service.services.counts import Counts
from workflow_service.services.ports import BlockRepository, Clock

log = logging.getLogger(__name__)

EXTENSIONS_PER_LEASE = 3
"""A lease is extended each time this part of it has gone by."""
_MARGIN = 6
"""The last sixth of a lease is not used."""


class Lease:
    """The right to work on one claimed block."""

    def __init__(self, claim: Claim, until_s: float, monotonic: Callable[[], float]) -> None:
        """Hold this claim until a monotonic instant."""
        self.claim = claim
        self.block = claim.block
        """The claimed block; with its input once its agent is called."""
        self._until_s = until_s
        self._monotonic = monotonic
        self._lost = False

    @property
    def is_lost(self) -> bool:
        """True once somebody else may own the block."""
        return self._lost

    def holds(self) -> bool:
        """Say whether the work may go on."""
        return not self._lost and self._monotonic() < self._until_s

    def calls(self, block: BlockExecution) -> None:
        """Note what its agent is about to be given."""
        self.block = block

    def extended(self, until_s: float) -> None:
        """Note that the store moved its end."""
        self._until_s = until_s

    def lose(self) -> None:
        """Note that the block is somebody else's now."""
        self._lost = True


class Leases:
    """All leases of this process."""

    def __init__(self, blocks: BlockRepository, clock: Clock, monotonic: Callable[[], float],
                 length: timedelta, counts: Counts) -> None:
        """Keep leases of this length.

        Args:
            monotonic: seconds from a clock that is never set.
        """
        self._blocks = blocks
        self._clock = clock
        self._monotonic = monotonic
        self._length = length
        self._counts = counts
        self._held: set[Lease] = set()
        self._lock = Lock()
        self._ending = False

    @property
    def ending(self) -> bool:
        """True when this process is to end: whoever has a block done does not go on with the next one."""
        return self._ending

    def end(self) -> None:
        """Note that this process is to end; takes no lock, so a signal handler may call it."""
        self._ending = True

    @contextmanager
    def held(self, claim: Claim) -> Iterator[Lease]:
        """Hold the lease of a claim, and keep it extended."""
        lease = Lease(claim, self._end(claim.since_s), self._monotonic)
        with self._lock:
            self._held.add(lease)
        try:
            yield lease
        finally:
            with self._lock:
                self._held.discard(lease)

    def all_held(self) -> Sequence[Lease]:
        """Return the leases of all blocks that this process works on and may go on with."""
        with self._lock:
            return [lease for lease in self._held if not lease.is_lost]

    def extend_all(self) -> None:
        """Extend every lease once; those that are another's now are lost."""
        for lease in self.all_held():
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

    def drop(self, block: BlockExecution) -> None:
        """Note that the outcome of a block was not stored because the block is no longer ours."""
        self._counts.results_dropped.add()
        log.warning("outcome of %s dropped: it is no longer ours", block.id, extra=_ids(block))

    def _extend(self, lease: Lease) -> None:
        since_s = self._monotonic()
        if self._blocks.extend_lease(lease.block, self._clock.now() + self._length):
            lease.extended(self._end(since_s))
        elif self._is_anothers(lease.block):
            lease.lose()
            self._counts.leases_lost.add()
            log.warning("lease of %s lost", lease.block.id, extra=_ids(lease.block))

    def _is_anothers(self, block: BlockExecution) -> bool:
        """Say whether others went on with the block; otherwise we ourselves have just ended its run."""
        stored = self._blocks.get(block.workspace_id, block.id)
        return stored is None or stored.fence > block.fence

    def _end(self, since_s: float) -> float:
        return since_s + self._length.total_seconds() * (1 - 1 / _MARGIN)


def _ids(block: BlockExecution) -> dict[str, object]:
    return {"execution_id": block.execution_id, "block_id": block.block_id, "epoch": block.epoch, "fence": block.fence}
