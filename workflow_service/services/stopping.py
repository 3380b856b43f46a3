"""Stopping: an agent that may be at work is told before its block is given up.

So a call which is only on its way finds the key taken. If the agent can't be told, a block that is to be stopped stays
for the sweep: it ends once the agent confirms, or when its call or its time is over, whichever is first. A block that
was called and now waits for another try has nobody who could call again; its agent is told if it can be reached.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.statuses import IN_FLIGHT, BlockStatus
from workflow_service.services.ports import AgentService

_AT_ONCE = timedelta(seconds=3)
"""How long agents are told one after the other; the others are told by the sweep."""
_CALLED_BEFORE = frozenset({BlockStatus.READY, BlockStatus.RETRY_WAIT})
"""Here an earlier call may have been cut off or handed back, and its agent may still be at work."""


class Stopping:
    """Stops what blocks have set to work."""

    def __init__(self, agents: AgentService, monotonic: Callable[[], float]) -> None:
        """Tell these agents.

        Args:
            monotonic: seconds from a clock that is never set.
        """
        self._agents = agents
        self._monotonic = monotonic

    def until_s(self) -> float:
        """Return the monotonic instant after which no more agents are told in one go."""
        return self._monotonic() + _AT_ONCE.total_seconds()

    def may_be_given_up(self, block: BlockExecution, until_s: float, *, is_forced: bool) -> bool:
        """Say whether a block may be ended now; an agent that may be at work is told to stop first.

        Args:
            until_s: the monotonic instant after which none is told.
            is_forced: whether what runs is stopped; otherwise it may end.
        """
        if block.status is BlockStatus.RUNNING and not is_forced:
            return False
        was_left = is_forced and block.status in _CALLED_BEFORE and block.attempt > 0
        if block.agent_id is None or (block.status not in IN_FLIGHT and not was_left):
            return True
        told = self._monotonic() < until_s and self._agents.stop(block.agent_id, block.key)
        return told or was_left or not is_forced
