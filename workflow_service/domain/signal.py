"""The signal: what somebody tells an execution under a name. It is kept until one block takes it, and that one uses it.

A signal is taken for a wait, which fires with it. If that wait ends without it (it timed out, or its block runs again),
the signal is kept again for whoever waits next. While a wait is open, nobody gives back what was taken for it: so what
it fires with is its own, and no other's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from workflow_service.domain.events import Event
from workflow_service.domain.statuses import SIGNAL_TRANSITIONS, SignalStatus, check
from workflow_service.domain.wait import Wait

SIGNAL_IDS = "signalIds"
"""What the payload of a fired wait calls the signals that it fired with."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One message to an execution."""

    signal_id: str
    workspace_id: str
    execution_id: str
    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    sent_at: datetime
    sent_by: str
    request_digest: str | None = None
    """Of the request that sent it with an idempotency key; None without a key."""
    taken_by: str | None = None
    """The wait that it was taken for; None while it is kept."""
    taken_for: str | None = None
    """The block of that wait."""
    version: int = 0
    due_at: datetime | None = None
    """When the sweep must look at it: nobody may have asked who waits for it."""
    outbox: tuple[Event, ...] = ()

    @property
    def status(self) -> SignalStatus:
        """Whether it is kept, or taken."""
        return SignalStatus.KEPT if self.taken_by is None else SignalStatus.TAKEN


def received(signal: Signal, at: datetime) -> Signal:
    """Return a new signal with the event of its coming."""
    return _record(signal, "signal_received", at, block_id=None)


def take(signal: Signal, wait: Wait, at: datetime) -> Signal:
    """Take a signal for a wait."""
    check(SIGNAL_TRANSITIONS, "signal", signal.signal_id, signal.status, SignalStatus.TAKEN)
    return _record(replace(signal, taken_by=wait.id, taken_for=wait.block_id), "signal_taken", at, wait.block_id)


def give_back(signal: Signal, at: datetime) -> Signal:
    """Keep a signal again whose wait ended without it."""
    check(SIGNAL_TRANSITIONS, "signal", signal.signal_id, signal.status, SignalStatus.KEPT)
    return _record(replace(signal, taken_by=None, taken_for=None), "signal_given_back", at, signal.taken_for)


def at_rest(signal: Signal) -> Signal:
    """Return the signal as it is when whoever waits for it has been told."""
    return replace(signal, due_at=None)


def was_used(signal_id: str, wait: Wait) -> bool:
    """Say whether a wait fired with this signal."""
    return signal_id in (wait.payload or {}).get(SIGNAL_IDS, ())


def digest(name: str, payload: Mapping[str, Any]) -> str:
    """Return what tells two requests with the same key apart."""
    return hashlib.sha256(json.dumps([name, payload], sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def replayed(signal: Signal) -> dict[str, Any]:
    """Return what the events of a signal, replayed, give of it (JSON)."""
    return {"status": signal.status.value, "name": signal.name, "takenBy": signal.taken_by}


def _record(signal: Signal, event_type: str, at: datetime, block_id: str | None) -> Signal:
    event = Event(type=event_type, workspace_id=signal.workspace_id, execution_id=signal.execution_id,
                  block_id=block_id, source=signal.signal_id, version=signal.version + 1, at=at,
                  payload={"by": signal.sent_by, **replayed(signal)})
    return replace(signal, version=signal.version + 1, outbox=(*signal.outbox, event), due_at=at)
