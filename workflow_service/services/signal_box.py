"""The signal box: which signals an open wait can fire with, and what becomes of those that it did not.

Signals are taken for a wait only when all that it needs are there, in the order of their names, so that two waits do
not hold half of it each. What was taken stays so while the wait is open: that is why it can fire with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow_service.domain import signal as signals
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.signal import SIGNAL_IDS, Signal
from workflow_service.domain.wait import Wait
from workflow_service.services.finish import Finisher
from workflow_service.services.ports import Clock, SignalRepository

_TRIES = 20
"""How often signals are looked for again when others took them; then the sweep looks at those that were taken."""


class SignalBox:
    """Takes signals for waits, and gives them back."""

    def __init__(self, stored: SignalRepository, finisher: Finisher, clock: Clock) -> None:
        """Take signals from this repository."""
        self._signals = stored
        self._finisher = finisher
        self._clock = clock

    def collect(self, wait: Wait) -> Mapping[str, Any] | None:
        """Take what an open wait needs and return what it fires with (JSON); None if not all of it is there."""
        for _ in range(_TRIES):
            found = [self._signals.oldest(wait.workspace_id, wait.execution_id, names, wait.id)
                     for names in _needed(wait)]
            there = [signal for signal in found if signal is not None]
            if len(there) < len(found):
                return None
            if all(self._take(signal, wait) for signal in there):
                return _payload(there)
        return None

    def clear(self, wait: Wait) -> Sequence[Signal]:
        """Give back what was taken for a wait that has ended without it, and return that."""
        kept = []
        for signal in self._signals.taken_by(wait.workspace_id, wait.execution_id, wait.id):
            after = signals.give_back(signal, self._clock.now())
            if signals.was_used(signal.signal_id, wait):
                self._finisher.rest(signal)
            elif self._signals.change(signal, after):
                kept.append(after)
        return kept

    def _take(self, signal: Signal, wait: Wait) -> bool:
        if signal.taken_by == wait.id:
            return True
        taken = signals.take(signal, wait, self._clock.now())
        if not self._signals.change(signal, taken):
            return False
        self._finisher.relay(taken)
        return True


def _needed(wait: Wait) -> Sequence[Sequence[str]]:
    """Return the groups of names of each of which a wait needs a signal."""
    return [wait.signals] if wait.signal_mode is SignalMode.ANY else [(name,) for name in sorted(wait.signals)]


def _payload(taken: Sequence[Signal]) -> Mapping[str, Any]:
    last = max(taken, key=lambda signal: (signal.sent_at, signal.signal_id))
    return {"timedOut": False, "signal": last.name, "signals": {signal.name: signal.payload for signal in taken},
            SIGNAL_IDS: [signal.signal_id for signal in taken]}
