"""What kombu's transports are taught.

Redis as a broker that may go away while blocks run: kombu 5.7 gives back and acknowledges messages over a channel even
when the connection below it is gone; it trips over that (``AttributeError``), which Celery takes for a bug and ends the
worker. Here it is told what has happened: the connection is gone, which both know how to live with. The messages are
not lost: Redis delivers them again after the visibility timeout, and what they stand for is in the store.

RabbitMQ over TLS, of several nodes: the certificate of each is compared with its own name.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import pyamqp, redis

from tasks.priorities import HIGHEST_FIRST


class _TellsThatItIsClosed:
    """A channel that says so if there is no connection to make another client of."""

    connection: Any

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("The connection of this channel is closed.")
        found: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        return found


class _TakesTheHigherFirst:
    """A channel that looks through the lists of its queues in the order of our priorities.

    What has the usual priority is in the list that has the plain name of the queue, where all messages of an earlier
    release are, and answers to whoever uses kombu's own transport.
    """

    sep: str
    priority_steps = list(HIGHEST_FIRST)

    def _q_for_pri(self, queue: str, pri: int) -> str:
        return f"{queue}{self.sep}{pri}" if pri else queue


class RedisChannel(_TakesTheHigherFirst, _TellsThatItIsClosed, redis.Channel):
    """A channel of Redis."""


class SentinelChannel(_TakesTheHigherFirst, _TellsThatItIsClosed, redis.SentinelChannel):
    """A channel of Redis behind sentinels."""


class RedisTransport(redis.Transport):
    """Redis."""

    Channel = RedisChannel


class SentinelTransport(redis.SentinelTransport):
    """Redis behind sentinels."""

    Channel = SentinelChannel


class AmqpsTransport(pyamqp.SSLTransport):
    """RabbitMQ over TLS."""

    client: Any

    def establish_connection(self) -> Any:
        """Connect; kombu would compare the certificate of the second node with the name of the first."""
        options = self.client.ssl
        if isinstance(options, dict) and "server_hostname" in options:
            self.client.ssl = {**options, "server_hostname": self.client.hostname}
        return super().establish_connection()  # type: ignore[no-untyped-call]


TRANSPORTS = {"redis": f"{__name__}:RedisTransport", "rediss": f"{__name__}:RedisTransport",
              "sentinel": f"{__name__}:SentinelTransport", "amqps": f"{__name__}:AmqpsTransport"}
"""The transport of each kind of address."""
