"""How a worker consumes messages: as Celery does it, after a look at what it was connected to.

A broker that would lose messages, or that holds a queue of another kind, ends the worker with a sentence that says what
to do. Only a broker that answers is looked at, so one that is away stops no worker from starting; it is looked at when
it is back. The look is bounded by the time-outs of the connection.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from celery.exceptions import WorkerShutdown
from celery.worker.consumer import Consumer

from tasks.server_check import backend_fault, broker_fault

log = logging.getLogger(__name__)
_DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class CheckingConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """Consumes from a broker that does not lose messages."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        """Celery's steps without the 28 queues that it declares on RabbitMQ for messages with a countdown."""

        default_steps = [step for step in Consumer.Blueprint.default_steps if step != _DELAYED]

    _was_checked = False

    def connect(self) -> Any:
        """Connect, and look at the broker and the result backend the first time.

        Raises:
            WorkerShutdown: they can't be used as they are.
        """
        connection = super().connect()
        if not self._was_checked:
            fault = broker_fault(connection, self.app) or backend_fault(self.app)
            if fault is not None:
                log.critical("refused: %s", fault)
                raise WorkerShutdown(os.EX_CONFIG)
            self._was_checked = True
        return connection
