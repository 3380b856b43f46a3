"""Those who know nothing of us but the address of the broker and the names of the queues."""

from __future__ import annotations

from typing import Any, Protocol

from kombu.connection import Connection
from redis import Redis

from inbound.inbox import INBOUND, REJECTED


class Post(Protocol):
    """Sends messages, and looks at those that were set aside."""

    def send(self, raw: bytes) -> None:
        """Send a message."""

    def rejected(self) -> bytes | None:
        """Take the oldest that was set aside; None if there is none."""


class _RedisPost:
    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, raw: bytes) -> None:
        with Redis.from_url(self._url) as client:
            client.xadd(INBOUND, {"message": raw})

    def rejected(self) -> bytes | None:
        with Redis.from_url(self._url) as client:
            found: Any = client.xrange(REJECTED, count=1)
            if not found:
                return None
            client.xdel(REJECTED, found[0][0])
            return bytes(found[0][1][b"message"])


class _RabbitMQPost:
    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, raw: bytes) -> None:
        with Connection(self._url, transport_options={"confirm_publish": True}) as connection:
            connection.Producer().publish(raw, routing_key=INBOUND, content_type="application/json",
                                          content_encoding="utf-8", delivery_mode=2, mandatory=True)

    def rejected(self) -> bytes | None:
        with Connection(self._url) as connection:
            channel: Any = connection.default_channel
            message = channel.basic_get(REJECTED, no_ack=True)
            if message is None:
                return None
            return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


def a_post(url: str) -> Post:
    """Return who sends to this broker."""
    return _RedisPost(url) if url.startswith("redis") else _RabbitMQPost(url)
