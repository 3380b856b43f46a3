"""Routing: which workers do a block, and what goes first among what waits for them."""

from __future__ import annotations

from dataclasses import dataclass

USUAL_QUEUE = "blocks"
"""The queue of blocks that name none."""
USUAL_PRIORITY = 4
"""That of blocks that say nothing; RabbitMQ 4 knows two classes, and what is above this is in the higher one."""
RESERVED_QUEUES = frozenset({"control"})
"""Queues that are not for blocks."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """The way of a task to a worker."""

    queue: str = USUAL_QUEUE
    priority: int = USUAL_PRIORITY
    """From 0 to 9, what is higher goes first."""


USUAL = Route()
"""The way of what says nothing."""
