"""Admission: whether a claimed block may begin now, within the limits of its mutex and its agent.

It comes after the look and the gate, right before the agent is called. A block that has to wait gives its claim back
and holds no worker: for a permit it waits in a queue, for the rate of its agent until the instant that it was promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.permits import was_parked_at_work
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.template import Block
from workflow_service.services.claims import Claim
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.permits import Permits, is_repeated
from workflow_service.services.ports import CallRates, Clock
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Admission:
    """Admits claimed blocks."""

    def __init__(self, stores: Stores, permits: Permits, rates: CallRates, closing: Closing, finisher: Finisher,
                 clock: Clock, timings: Timings) -> None:
        """Admit blocks of these stores."""
        self._stores = stores
        self._permits = permits
        self._rates = rates
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def admit(self, claim: Claim, ours: BlockExecution, block: Block,
              variables: Mapping[str, Any]) -> BlockExecution | None:
        """Return the block with what it took; None if it has to wait, and its claim was given back.

        What has no limit, or was parked in the middle of its work, is admitted at no cost.

        Args:
            ours: the claimed block with its input.

        Raises:
            ExpressionError: the name of the mutex can't be evaluated, is no name, or is that of a critical section
                which is left only when this block has ended.
        """
        if was_parked_at_work(ours) or not self._is_limited(block):
            return ours
        wanted = self._permits.needed(ours, block, variables)
        missing, now = self._permits.take(ours, wanted), self._clock.now()
        if missing is not None:
            if self._permits.is_held_above(missing, claim.execution.ancestors):
                raise ExpressionError("The execution that this one is a part of is in the same critical section.")
            if self._undo(claim, blocks.wait_for_permit(claim.block, missing, now, self._timings.lease)):
                self._permits.wait(claim.block, wanted, missing)
            return None
        starts_at = self._starts_at(ours, block, now)
        if starts_at > now:
            self._permits.hand_back(ours, wanted)
            self._undo(claim, blocks.wait_for_rate(claim.block, starts_at, now, self._timings.lease))
            return None
        return blocks.admit(ours, tuple(wanted))

    def _is_limited(self, block: Block) -> bool:
        is_limited = block.mutex is not None or not self._timings.agent_limits.of(block.agent_id).is_none
        return is_limited and not is_repeated(block)

    def _starts_at(self, ours: BlockExecution, block: Block, now: datetime) -> datetime:
        """Return when the agent may be called; if that is now, the call counts."""
        per_minute = self._timings.agent_limits.of(block.agent_id).rate_per_minute
        if block.agent_id is None or per_minute is None:
            return now
        if ours.starts_at is not None and ours.starts_at > now:
            return ours.starts_at
        return self._rates.ask(block.agent_id, per_minute, now, is_promised=ours.starts_at is not None)

    def _undo(self, claim: Claim, ready: BlockExecution) -> bool:
        """Give the claim back, and complete a pause that waited for it; False if the block is no longer ours."""
        if not self._stores.blocks.change(claim.block, ready):
            return False
        self._finisher.relay(ready)
        execution = self._stores.executions.get(ready.workspace_id, ready.execution_id)
        if execution is not None and execution.status is ExecutionStatus.PAUSING:
            self._closing.settle(claim.plan, ready.workspace_id, ready.execution_id)
        return True
