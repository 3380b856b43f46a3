"""Rates of calls in memory."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from workflow_service.domain import rates
from workflow_service.domain.rates import Pace


class CallRatesInMemory:
    """The port ``CallRates``."""

    def __init__(self) -> None:
        """Nobody was called yet."""
        self._paces: dict[str, Pace] = {}
        self._lock = Lock()

    def ask(self, agent_id: str, per_minute: int, at: datetime, *, is_promised: bool) -> datetime:
        """Return when one more call may start."""
        with self._lock:
            pace, starts_at = rates.ask(self._paces.get(agent_id, Pace()), per_minute, at, is_promised=is_promised)
            self._paces[agent_id] = pace
            return starts_at
