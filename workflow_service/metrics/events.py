"""Counts what the history tells: an observer of the bus."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from threading import Lock

from workflow_service.domain.events import Event
from workflow_service.metrics.catalogue import APPROVALS, BLOCK_DURATION, BLOCKS, EXECUTIONS_ENDED, EXECUTIONS_STARTED
from workflow_service.metrics.registry import Registry
from workflow_service.services.ports import StoredEvent

_MOST_CLAIMS = 10_000
_STARTED, _READY, _COMPLETED = "block_started", "block_ready", "block_completed"
_BLOCKS: Mapping[str, str] = {
    "block_failed": "failed", "block_rejected": "rejected", "block_skipped": "skipped", "block_cancelled": "cancelled",
    "block_parked": "parked", "block_retry_scheduled": "retried", "block_reset": "reset"}
_READY_CAUSES: Mapping[object, str] = {"worker_stopping": "handed_back", **{cause: cause for cause in (
    "held", "no_slot", "no_permit", "rate_limited")}}
_COMPLETED_CAUSES: Mapping[object, str | None] = {"joined": None, "supplied": "supplied"}
_ENDS: Mapping[str, str] = {f"execution_{status}": status for status in ("completed", "failed", "cancelled")}
_APPROVALS: Mapping[str, str] = {f"approval_{outcome}": outcome for outcome in (
    "requested", "responded", "timeout", "postponed", "cancelled", "superseded", "expired")}


def outcome_of(event: Event) -> str | None:
    """Return what became of a block; None if the event is not about that (or about a join, which is nobody's work)."""
    cause = event.payload.get("cause")
    if event.type == _STARTED:
        return "taken_over" if cause == "lease_expired" else "claimed"
    if event.type == _READY:
        return _READY_CAUSES.get(cause)
    if event.type == _COMPLETED:
        return _COMPLETED_CAUSES.get(cause, "completed")
    return _BLOCKS.get(event.type)


class EventMetrics:
    """Counts events, and measures the time between the claim of a block and what became of it."""

    def __init__(self, registry: Registry) -> None:
        """Count into this registry."""
        self._registry = registry
        self._claims: OrderedDict[tuple[str, int], datetime] = OrderedDict()
        self._lock = Lock()

    def notice(self, stored: StoredEvent) -> None:
        """Count an event."""
        event = stored.event
        outcome = outcome_of(event)
        if outcome is not None:
            self._registry.count(BLOCKS, outcome)
            self._measure(event, outcome)
        elif event.type == "execution_started":
            self._registry.count(EXECUTIONS_STARTED)
        elif event.type in _ENDS:
            self._registry.count(EXECUTIONS_ENDED, _ENDS[event.type])
        elif event.type in _APPROVALS:
            self._registry.count(APPROVALS, _APPROVALS[event.type])

    def _measure(self, event: Event, outcome: str) -> None:
        claim = event.source, event.payload.get("fence", 0)
        with self._lock:
            if event.type == _STARTED:
                self._claims[claim] = event.at
                if len(self._claims) > _MOST_CLAIMS:
                    self._claims.popitem(last=False)
                return
            since = self._claims.pop(claim, None)
        if since is not None:
            self._registry.observe(BLOCK_DURATION, (event.at - since).total_seconds(), outcome)
