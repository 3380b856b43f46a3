"""From the broker that Celery is set to, with all its options, to the queue of messages on it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.connection import Connection

from inbound.inbox import BrokerAway, BrokerUnfit, Inbox
from inbound.rabbitmq_inbox import RabbitMQInbox
from inbound.redis_inbox import RedisInbox
from tasks.server_check import broker_fault


@contextmanager
def connected(app: Celery) -> Iterator[Inbox]:
    """Connect to the broker and give the queue on it; what was taken and not let go is given back in the end.

    Raises:
        BrokerAway: it can't be reached, or no longer.
        BrokerUnfit: it would lose messages.
    """
    connection = app.connection_for_read(heartbeat=app.conf.broker_heartbeat)
    try:
        connection.connect()
        fault = broker_fault(connection, app)
        if fault is not None:
            raise BrokerUnfit(fault)
        yield _inbox(connection)
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerAway(type(error).__name__) from error
    finally:
        connection.release()


def _inbox(connection: Connection) -> Inbox:
    if connection.transport.driver_type == "amqp":
        return RabbitMQInbox(connection)
    channel: Any = connection.default_channel
    return RedisInbox(channel.client, f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}")
