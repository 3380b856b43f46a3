"""Standing holds in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from workflow_service.domain.standing_hold import HoldStatus, StandingHold


class StandingHoldsInMemory:
    """The standing holds port."""

    def __init__(self) -> None:
        """Start empty."""
        self._holds: dict[str, StandingHold] = {}
        self._lock = RLock()

    def insert(self, hold: StandingHold) -> bool:
        """Store a new hold; False if there is one for its scope and target."""
        with self._lock:
            return self._holds.setdefault(hold.key, hold) is hold

    def of_workspace(self, workspace_id: str) -> Sequence[StandingHold]:
        """Return the holds of a workspace and of the whole service, the oldest first."""
        with self._lock:
            found = [hold for hold in self._holds.values() if hold.workspace_id in (None, workspace_id)]
        return sorted(found, key=lambda hold: (hold.created_at, hold.hold_id))

    def unfinished(self) -> Sequence[StandingHold]:
        """Return the holds that are being applied or lifted."""
        with self._lock:
            return [hold for hold in self._holds.values() if hold.status is not HoldStatus.APPLIED]

    def advance(self, hold: StandingHold, status: HoldStatus, progress: str) -> bool:
        """Store how far a hold has come, if it is as it was read."""
        with self._lock:
            if self._holds.get(hold.key) != hold:
                return False
            self._holds[hold.key] = replace(hold, status=status, progress=progress)
            return True

    def remove(self, hold: StandingHold) -> None:
        """Forget a hold that is being lifted."""
        with self._lock:
            found = self._holds.get(hold.key)
            if found is not None and (found.hold_id, found.status) == (hold.hold_id, HoldStatus.LIFTING):
                del self._holds[hold.key]
