"""The bus: every event that enters the history is shown to all observers, in order of its execution's sequence.

A failing observer is logged and never disturbs its neighbours or the work that caused the event.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from workflow_service.services.ports import StoredEvent

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Somebody who wants to know what happened."""

    def notice(self, stored: StoredEvent) -> None:
        """Take note of an event.

        An event may be missed when a process dies; who must not miss any reads the history.
        """


class Bus:
    """Tells observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Tell these, in this order."""
        self._observers = tuple(observers)

    def publish(self, stored: Sequence[StoredEvent]) -> None:
        """Tell all observers of these events."""
        for event in stored:
            for observer in self._observers:
                self._tell(observer, event)

    @staticmethod
    def _tell(observer: Observer, stored: StoredEvent) -> None:
        try:
            observer.notice(stored)
        except Exception:  # an observer is a guest: whatever it raises is its own affair
            log.exception("observer failed", extra={"observer": type(observer).__name__})


class EventLog:
    """Writes each event to the log, so that an operator can follow an execution there."""

    def notice(self, stored: StoredEvent) -> None:
        """Log one line."""
        event = stored.event
        log.info(event.type, extra={"execution_id": event.execution_id, "block_id": event.block_id,
                                    "sequence": stored.sequence, "cause": event.payload.get("cause")})
