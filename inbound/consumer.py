"""Serves the queue: message after message, through everything that may be away for a while.

A message is let go only when it is done and stored, or set aside. What the service needs may be away: the message is
kept and tried again, with pauses. The broker may be away: it is connected to again, and delivers what was not let go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Event

import structlog

from inbound.handling import Handling
from inbound.inbox import BrokerAway, Delivery, Inbox
from workflow_service.domain.errors import Unavailable

SHORTEST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
"""Between two attempts, however long something is away."""
_TURN = timedelta(seconds=1)
"""How long at most nobody looks whether the process is to end."""

_log = structlog.get_logger(__name__)


class Consumer:
    """Serves the queue until it is told to stop."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Inbox]], handling: Handling,
                 shortest_pause: timedelta = SHORTEST_PAUSE, longest_pause: timedelta = LONGEST_PAUSE) -> None:
        """Serve what this connects to.

        Args:
            connect: raises ``BrokerAway`` if it can't.
            handling: does what messages want.
            shortest_pause: before the second attempt; each pause is twice the one before.
            longest_pause: which no pause exceeds.
        """
        self._connect = connect
        self._handling = handling
        self._shortest_pause = shortest_pause
        self._longest_pause = longest_pause
        self._stopped = Event()

    def stop(self) -> None:
        """End after the present message; may be called by a signal handler."""
        self._stopped.set()

    def run(self) -> None:
        """Serve.

        Raises:
            BrokerUnfit: the broker can't be used as it is.
        """
        pause = self._shortest_pause
        while not self._stopped.is_set():
            try:
                with self._connect() as inbox:
                    _log.info("inbound_connected")
                    pause = self._shortest_pause
                    self._serve(inbox)
            except BrokerAway as error:
                _log.warning("inbound_broker_away", reason=str(error))
                self._stopped.wait(pause.total_seconds())
                pause = self._longer(pause)

    def _serve(self, inbox: Inbox) -> None:
        while not self._stopped.is_set():
            delivery = inbox.take(_TURN)
            if delivery is not None:
                self._finish(inbox, delivery)

    def _finish(self, inbox: Inbox, delivery: Delivery) -> None:
        """See a message to its end, unless the process ends first; then it is delivered again."""
        pause = self._shortest_pause
        while not self._stopped.is_set():
            try:
                record = self._handling.handle(delivery)
            except Unavailable:
                _log.warning("message_waits", pause_s=pause.total_seconds())
                self._wait(inbox, delivery, pause)
                pause = self._longer(pause)
                continue
            if record is None:
                inbox.accept(delivery)
            else:
                inbox.reject(delivery, record)
            return

    def _wait(self, inbox: Inbox, delivery: Delivery, pause: timedelta) -> None:
        until_s = time.monotonic() + pause.total_seconds()
        while (left_s := until_s - time.monotonic()) > 0:
            if self._stopped.wait(min(left_s, _TURN.total_seconds())):
                return
            inbox.keep(delivery)

    def _longer(self, pause: timedelta) -> timedelta:
        return min(pause * 2, self._longest_pause)
