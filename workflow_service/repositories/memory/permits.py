"""Permits in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock

from workflow_service.domain import permits
from workflow_service.domain.permits import Claimant, Pool


class PermitsInMemory:
    """The permits port."""

    def __init__(self) -> None:
        """Start empty."""
        self._pools: dict[str, Pool] = {}
        self._due: dict[str, datetime] = {}
        self._lock = RLock()

    def get(self, name: str) -> Pool | None:
        """Return a pool; None if nobody uses it."""
        with self._lock:
            return self._pools.get(name)

    def take(self, name: str, claimant: Claimant, fence: int, limit: int, look_at: datetime) -> bool:
        """Take a permit, or confirm the one that is held."""
        with self._lock:
            taken = permits.take(self._pools.get(name) or Pool(name=name), claimant, fence, limit)
            if taken is not None:
                self._store(taken, look_at)
            return taken is not None

    def give_back(self, name: str, claimant: Claimant, fence: int | None = None) -> bool:
        """Give a permit back; False if it was not held, or under another fence."""
        with self._lock:
            pool = self._pools.get(name)
            if pool is None or claimant not in pool.holders or fence not in (None, pool.holders[claimant]):
                return False
            left = {holder: held for holder, held in pool.holders.items() if holder != claimant}
            self._pools[name] = replace(pool, holders=left)
            return True

    def queue(self, name: str, claimant: Claimant, look_at: datetime) -> bool:
        """Add a claimant to the end of the queue; False if it is there."""
        with self._lock:
            pool = self._pools.get(name) or Pool(name=name)
            if claimant in pool.waiting:
                return False
            self._store(replace(pool, waiting=(*pool.waiting, claimant)), look_at)
            return True

    def unqueue(self, name: str, claimant: Claimant) -> bool:
        """Take a claimant out of the queue; False if it was not in it."""
        with self._lock:
            pool = self._pools.get(name)
            if pool is None or claimant not in pool.waiting:
                return False
            self._pools[name] = replace(pool, waiting=tuple(one for one in pool.waiting if one != claimant))
            return True

    def due(self, at: datetime, limit: int) -> Sequence[str]:
        """Return pools that the sweep is to look at."""
        with self._lock:
            return [name for name, due_at in self._due.items() if due_at <= at][:limit]

    def look_again(self, name: str, at: datetime) -> None:
        """Store when the sweep looks again; a pool that nobody uses is forgotten instead."""
        with self._lock:
            pool = self._pools.get(name)
            if pool is not None and not pool.holders and not pool.waiting:
                del self._pools[name], self._due[name]
            elif pool is not None:
                self._due[name] = at

    def everything(self) -> Sequence[Pool]:
        """Return all pools."""
        with self._lock:
            return list(self._pools.values())

    def _store(self, pool: Pool, look_at: datetime) -> None:
        self._pools[pool.name] = pool
        self._due.setdefault(pool.name, look_at)
