"""Priorities of messages.

In a template what is higher goes first, and 4 is usual. A message that says nothing has priority 0, whoever sends it,
so that has to be the usual one, and those below it move up by one. RabbitMQ 4 takes 5 to 9 before the others; RabbitMQ
3 takes messages of quorum queues in turn. On Redis each priority is a list, and workers look through them in order.
"""

from __future__ import annotations

from workflow_service.domain.routing import USUAL_PRIORITY

HIGHEST = 9


def message_priority(priority: int) -> int:
    """Return the priority of a message about a block of this priority."""
    if priority == USUAL_PRIORITY:
        return 0
    return priority if priority > USUAL_PRIORITY else priority + 1


HIGHEST_FIRST = tuple(message_priority(priority) for priority in range(HIGHEST, -1, -1))
"""The priorities of messages in the order in which they are worked off."""
