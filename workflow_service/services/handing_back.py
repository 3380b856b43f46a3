"""Handing back: a process that has to end gives the blocks that it can't end to others.

The call of the agent goes on without its caller. Whoever claims the block next calls with the same key and gets the
same work's result, so nothing is done twice, and nobody waits for a lease to run out. What the agent still answers
here is dropped, for the block has moved on.
"""

from __future__ import annotations

import logging

from workflow_service.domain import blocks
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.services.claims import Claim, Claims
from workflow_service.services.closing import Closing
from workflow_service.services.counts import Counts
from workflow_service.services.finish import Finisher
from workflow_service.services.leases import Lease, Leases
from workflow_service.services.ports import Clock
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

log = logging.getLogger(__name__)


class HandingBack:
    """Hands back the blocks of one process."""

    def __init__(self, stores: Stores, leases: Leases, claims: Claims, sender: Sender, closing: Closing,
                 finisher: Finisher, clock: Clock, timings: Timings, counts: Counts) -> None:
        """Hand back what is held by these leases."""
        self._stores = stores
        self._leases = leases
        self._claims = claims
        self._sender = sender
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._timings = timings
        self._counts = counts

    def hand_back_all(self) -> int:
        """Make every block that this process works on ready for others, and say how many there were."""
        return sum(self._hand_back(lease) for lease in self._leases.all_held())

    def _hand_back(self, lease: Lease) -> bool:
        lease.lose()  # whatever becomes of this: no call begins any more
        block = lease.block
        try:
            ready = blocks.hand_back(block, self._clock.now(), self._timings.lease)
            if not self._stores.blocks.change(lease.claim.block, ready):
                return False  # it has just ended
            self._counts.blocks_handed_back.add()
            log.info("block handed back", extra={"execution_id": block.execution_id, "block_id": block.block_id})
            self._finisher.relay(ready)
            self._claims.leave(lease.claim)
            self._send(lease.claim, ready)
        except Exception:  # the others are to be handed back all the same; this one's lease runs out
            log.exception("block not handed back",
                          extra={"execution_id": block.execution_id, "block_id": block.block_id})
            return False
        return True

    def _send(self, claim: Claim, ready: BlockExecution) -> None:
        """Dispatch the block, or complete a pause that waited for it."""
        execution = self._stores.executions.get(ready.workspace_id, ready.execution_id)
        if execution is not None and execution.may_start(ready.agent_id):
            self._sender.send(claim.plan, [ready])
        elif execution is not None and execution.status is ExecutionStatus.PAUSING:
            self._closing.settle(claim.plan, execution.workspace_id, execution.execution_id)
