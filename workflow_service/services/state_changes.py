"""Change notifications of the State Management Service: hints that an agent has gone on with a block by itself.

An agent that took the work and answers later may write its progress there (section 6.3 of the customer's document).
Such a change makes us ask the agent at once instead of at the next poll. Losing one costs that wait, so the cursor is
kept in memory alone, and a new process starts with what happens from then on.
"""

from __future__ import annotations

from datetime import timedelta

from workflow_service.domain.changes import StateChange
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.statuses import BlockStatus
from workflow_service.services.ports import StateService
from workflow_service.services.stores import Stores
from workflow_service.services.waits import Waits

_END = 2**53 - 1
"""A cursor beyond all others: asked for it, the service tells where the end is."""


class StateChanges:
    """Follows the changes."""

    def __init__(self, stores: Stores, waits: Waits, state: StateService) -> None:
        """Look for blocks in these stores."""
        self._stores = stores
        self._waits = waits
        self._state = state
        self._cursor: int | None = None

    def follow(self) -> int:
        """Act on the changes since the last call; return how many there were.

        Raises:
            Unavailable: the State Management Service does not answer.
        """
        after = _END if self._cursor is None else self._cursor
        found = self._state.changes(after, timedelta())
        self._cursor = found.next_cursor
        for change in found.changes:
            if change.kind == "progress":
                self._look_at(change)
        return len(found.changes)

    def _look_at(self, change: StateChange) -> None:
        if change.execution_id is None or change.block_id is None:
            return
        block = self._stores.blocks.get(change.workspace_id, block_execution_id(change.execution_id, change.block_id))
        if block is not None and block.status is BlockStatus.AWAITING_AGENT:
            self._waits.ask_agent(block)
