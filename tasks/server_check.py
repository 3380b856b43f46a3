"""Whether the broker answers, and whether it and the result backend are set up to keep what they are given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from amqp.exceptions import PreconditionFailed
from celery import Celery
from celery.backends.redis import RedisBackend
from kombu.connection import Connection
from redis.exceptions import RedisError, ResponseError

log = logging.getLogger(__name__)


def ask_broker(connection: Connection) -> None:
    """Connect to a broker, to each of its addresses once at most; raises what its transport raises if none answers.

    Args:
        connection: not open yet; its time-outs bound each attempt. The caller closes it.
    """
    connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1), interval_start=0, interval_step=0,
                                 interval_max=0)


def broker_fault(connection: Connection, app: Celery) -> str | None:
    """Say why the broker can't be used; None if it can.

    Args:
        connection: open; what breaks it is raised, as Celery knows how to connect again.
    """
    if connection.transport.driver_type == "amqp":
        return _queue_fault(connection, app)
    if connection.transport.driver_type == "redis":
        with connection.channel() as channel:
            try:
                return eviction_fault("The broker", channel.client.info("memory"))
            except ResponseError as error:
                log.warning("not known whether the broker evicts keys: %s", type(error).__name__)
    return None


def backend_fault(app: Celery) -> str | None:
    """Say why the result backend can't be used; None if it can, or does not answer."""
    if not isinstance(app.backend, RedisBackend):
        return None
    try:
        return eviction_fault("The result backend", app.backend.client.info("memory"))
    except RedisError as error:
        log.warning("not known whether the result backend evicts keys: %s", type(error).__name__)
        return None


def eviction_fault(name: str, memory: Mapping[str, Any]) -> str | None:
    """Say why a Redis can't be used that drops keys when its memory is full; None if it keeps them.

    Args:
        name: what it is for.
        memory: what it says about its memory (``INFO memory``).
    """
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if not memory.get("maxmemory"):
        return None  # without a bound it never comes to that
    if policy.startswith("allkeys"):
        return (f"{name} is a Redis that drops any key, also a queue, when its memory is full (maxmemory-policy "
                f"{policy}). Set its maxmemory-policy to noeviction, or use another one.")
    if policy != "noeviction":
        log.warning("%s drops keys that expire when its memory is full (maxmemory-policy %s): joins may be late",
                    name, policy)
    return None


def _queue_fault(connection: Connection, app: Celery) -> str | None:
    for queue in app.amqp.queues.consume_from.values():
        with connection.channel() as channel:
            try:
                queue(channel).declare()
            except PreconditionFailed as error:
                return (f"RabbitMQ has a queue {queue.name} that was declared in another way ({error.reply_text}). "
                        "Delete it (rabbitmqctl delete_queue); what was in it is sent again.")
    return None
