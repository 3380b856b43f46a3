"""The queues of RabbitMQ. Redis has lists, which need no description.

Quorum queues keep their messages on several nodes of a cluster and on disk. A message that was given back too often is
dropped at the delivery limit: what kills one worker after the other does not go on for ever, and nothing is lost by it,
because the sweep sends what is ready once more. A block whose workers vanish again and again fails by itself sooner
(``WORKFLOW_MAX_LOST_LEASES``).

RabbitMQ closes the channel of a worker that keeps a message longer than its ``consumer_timeout``. From 3.12 on a queue
can say how long that is; older servers take the argument, ignore it, and obey their own configuration. So a worker must
also live with it, and does: it connects again, what it runs goes on, and the message, delivered again, finds its block
claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kombu.entity import Exchange, Queue

from tasks import names

DELIVERY_LIMIT = 20
"""How often a message is delivered once more before it is dropped; the value that RabbitMQ 4 has by itself."""
CONSUMER_TIMEOUT = timedelta(hours=24)
"""How long a worker may keep a message where the server lets a queue say so."""
_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT,
              "x-consumer-timeout": CONSUMER_TIMEOUT // timedelta(milliseconds=1)}


def rabbitmq_queues(blocks: Sequence[str] = (names.BLOCKS,)) -> list[Queue]:
    """Return the queues as they are declared by whoever comes first: a worker, or who publishes.

    Args:
        blocks: the queues of block work.
    """
    return [Queue(name, Exchange(name), routing_key=name, queue_arguments=dict(_ARGUMENTS))
            for name in (*blocks, names.CONTROL)]
