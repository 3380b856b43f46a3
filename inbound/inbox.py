"""What a queue of messages is to whoever serves it, on whatever broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

INBOUND = "inbound"
"""Where others put messages: a stream of Redis, a queue of RabbitMQ."""
REJECTED = "inbound.rejected"
"""Where messages are set aside that nobody can do anything about but their senders."""
MOST_REJECTED = 10_000
"""How many of them are kept; the oldest go first."""


class BrokerAway(Exception):
    """Raised when the connection to the broker is lost; what was taken and not accepted is delivered again."""


class BrokerUnfit(Exception):
    """Raised when a broker can't be used as it is; says what to do."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message that was taken, and is this process's until it is accepted or rejected."""

    raw: bytes
    """What was sent."""
    tag: str
    """What the broker knows it by."""
    deliveries: int
    """How often it has been delivered, with this time."""


class Inbox(Protocol):
    """The queue of one connection, used by one thread. Every method may raise ``BrokerAway``."""

    def take(self, within: timedelta) -> Delivery | None:
        """Return the next message; None if there is none within this time. One is out at a time."""

    def keep(self, delivery: Delivery) -> None:
        """Say that a message is still being worked on; to be called each second or so."""

    def accept(self, delivery: Delivery) -> None:
        """Let a message go that was done."""

    def reject(self, delivery: Delivery, record: bytes) -> None:
        """Set a message aside: keep what is said about it, and only then let it go."""
