"""The queue on RabbitMQ: a quorum queue, bound to nothing, reached through the default exchange by its name.

Messages are taken as they come, not as kombu wraps them: a header that kombu can't make sense of would end the process
again and again.
"""

from __future__ import annotations

import socket
from collections import deque
from datetime import timedelta
from typing import Any

from amqp.exceptions import PreconditionFailed
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.messaging import Producer

from inbound.inbox import INBOUND, MOST_REJECTED, REJECTED, BrokerUnfit, Delivery
from tasks.queues import CONSUMER_TIMEOUT, DELIVERY_LIMIT

_ARGUMENTS = {
    INBOUND: {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT,
              "x-consumer-timeout": CONSUMER_TIMEOUT // timedelta(milliseconds=1)},
    REJECTED: {"x-queue-type": "quorum", "x-max-length": MOST_REJECTED}}
_A_MOMENT_S = 0.01
_PERSISTENT = 2


class RabbitMQInbox:
    """A consumer of the queue."""

    def __init__(self, connection: Connection) -> None:
        """Declare both queues and consume from the one.

        Args:
            connection: open, publishes with confirms, and has heartbeats.

        Raises:
            BrokerUnfit: there is a queue of this name and of another kind.
        """
        self._connection = connection
        self._channel: Any = connection.channel()
        self._arrived: deque[Any] = deque()
        self._declare()
        self._producer = Producer(connection.channel())
        self._channel.basic_qos(0, 1, False)
        self._channel.basic_consume(INBOUND, callback=self._arrived.append)

    def take(self, within: timedelta) -> Delivery | None:
        """Return the next message."""
        self._listen(within.total_seconds())
        if not self._arrived:
            return None
        message = self._arrived.popleft()
        raw = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        before = (message.properties.get("application_headers") or {}).get("x-delivery-count", 0)
        return Delivery(raw=raw, tag=str(message.delivery_tag), deliveries=1 + int(before))

    def keep(self, delivery: Delivery) -> None:
        """Answer the heartbeats; the broker asks for no more."""
        self._listen(_A_MOMENT_S)

    def accept(self, delivery: Delivery) -> None:
        """Acknowledge it."""
        self._channel.basic_ack(int(delivery.tag))

    def reject(self, delivery: Delivery, record: bytes) -> None:
        """Publish what is said about it, and acknowledge it once the broker has confirmed that."""
        self._producer.publish(record, exchange="", routing_key=REJECTED, content_type="application/json",
                               content_encoding="utf-8", delivery_mode=_PERSISTENT)
        self.accept(delivery)

    def _listen(self, within_s: float) -> None:
        self._connection.heartbeat_check()
        if not self._arrived:
            try:
                self._connection.drain_events(timeout=within_s)
            except (socket.timeout, BlockingIOError):
                pass  # nothing came

    def _declare(self) -> None:
        for name, arguments in _ARGUMENTS.items():
            try:
                Queue(name, queue_arguments=dict(arguments), channel=self._channel).declare()
            except PreconditionFailed as error:
                raise BrokerUnfit(
                    f"RabbitMQ has a queue {name} that was declared in another way ({error.reply_text}). "
                    "Empty it and delete it (rabbitmqctl delete_queue).") from error
