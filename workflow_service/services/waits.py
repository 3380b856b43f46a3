"""Waits: one protocol for everything that a block can wait for.

To park: (a) insert the wait, whose id is the only possible one, (b) park the block, (c) look at the wait again, for it
may have fired before the block was parked, (d) only then tell anybody. To wake: fire the wait, then make the block
ready, then dispatch it. Whoever dies between two of these leaves something that the sweep finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import wait as waits
from workflow_service.domain.agents import Accepted, Completed, Failure, FailureClass
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.children import Round
from workflow_service.domain.commands import CancelMode
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.signal import Signal
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus, WaitKind, WaitStatus
from workflow_service.domain.wait import Wait, wait_of
from workflow_service.services.claims import Claim
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import AgentService, Clock
from workflow_service.services.sending import Sender
from workflow_service.services.signal_box import SignalBox
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Waits:
    """Parks blocks and wakes them."""

    def __init__(self, stores: Stores, plans: Plans, agents: AgentService, sender: Sender, closing: Closing,
                 permits: Permits, finisher: Finisher, clock: Clock, timings: Timings) -> None:
        """Park blocks of these stores."""
        self._agents = agents
        self._stores = stores
        self._plans = plans
        self._sender = sender
        self._closing = closing
        self._permits = permits
        self._finisher = finisher
        self._clock = clock
        self._timings = timings
        self._signals = SignalBox(stores.signals, finisher, clock)

    def park(self, claim: Claim, block: BlockExecution, wait: Wait, approval: Approval | None, *, called: bool) -> bool:
        """Park a claimed block; False if it is no longer ours.

        Args:
            block: the claimed block with its resolved input.
            wait: new, not stored yet; if it is there already the stored one counts.
            called: whether the agent was called in this attempt.
        """
        opened = waits.opened(wait, self._clock.now())
        self._stores.waits.insert(opened)
        if approval is not None:
            self._stores.approvals.insert(approval)
        parked = blocks.park(block, wait.kind, self._clock.now(), self._timings.lease, called=called)
        if not self._stores.blocks.change(claim.block, parked):
            return False  # what was inserted is due, and the sweep knows whether anybody needs it
        stored = self._look(wait)
        self._finisher.rest(opened, *([approval] if approval else []))
        if stored is not None and stored.status is WaitStatus.FIRED:
            self._finisher.relay(parked)
            self.wake(stored)
            return True
        if not self._is_over(claim, parked):
            self._finisher.rest(parked, urgent=True)
            self._closing.settle(claim.plan, block.workspace_id, block.execution_id)
        return True

    def _look(self, wait: Wait) -> Wait | None:
        """Return a wait as it stands now that its block is parked; signals may have come before it."""
        stored = self._stores.waits.get(wait.workspace_id, wait.id)
        if stored is None or stored.status is not WaitStatus.OPEN or not self.look_for_signals(stored):
            return stored
        return self._stores.waits.get(wait.workspace_id, wait.id)

    def fire(self, wait: Wait, payload: Mapping[str, Any], counted: Round | None = None) -> bool:
        """Record what was waited for and wake the block; False if the wait had fired or was cancelled before.

        Args:
            counted: how far the children have come that were waited for; None for all other kinds.
        """
        if wait.status is not WaitStatus.OPEN:
            return False
        fired = waits.fire(replace(wait, children=counted), payload, self._clock.now())
        if not self._stores.waits.change(wait, fired):
            return False
        self._finisher.relay(fired)
        self.wake(fired)
        return True

    def look_for_signals(self, wait: Wait) -> bool:
        """Fire an open wait if all signals that it needs are there; False if it still waits for one."""
        payload = self._signals.collect(wait) if wait.kind is WaitKind.SIGNAL else None
        if payload is None:
            return False
        if not self.fire(wait, payload):  # it has ended otherwise, and may have been cleared before these were taken
            self.clear(wait)
        return True

    def deliver(self, signal: Signal) -> None:
        """Let those who wait for a signal of this name look what there is; if nobody does it is kept."""
        for wait in self._stores.waits.open_of(signal.workspace_id, signal.execution_id):
            if signal.name in wait.signals:
                self.look_for_signals(wait)
        self._finisher.rest(signal)  # changes nothing if it was taken

    def clear(self, wait: Wait) -> None:
        """Let others have the signals that were taken for a wait which has ended without them."""
        if wait.kind is not WaitKind.SIGNAL:
            return
        ended = self._stores.waits.get(wait.workspace_id, wait.id) if wait.status is WaitStatus.OPEN else wait
        if ended is not None and ended.status is not WaitStatus.OPEN:
            for kept in self._signals.clear(ended):
                self.deliver(kept)

    def ask_agent(self, block: BlockExecution) -> None:
        """Ask the agent that took the work of a parked block whether it is done, and wake the block if it is.

        An agent that does not answer may still be at work, so it is asked again, until the wait's deadline.
        """
        wait = self._stores.waits.get(block.workspace_id, wait_of(block, WaitKind.AGENT).id)
        if wait is None or wait.status is not WaitStatus.OPEN:
            return
        if self._is_too_late(wait):
            self.fire(wait, told(TOO_LATE))  # another attempt, if there is one, joins the work that goes on
            return
        try:
            answer = self._agents.result(str(block.agent_id), block.key)
        except Unavailable:
            self.look_again(wait, self._timings.lease)
            return
        if isinstance(answer, Accepted):
            self.look_again(wait, answer.ask_again_after)
        else:
            self.fire(wait, told(answer))

    def _is_too_late(self, wait: Wait) -> bool:
        """Say whether the deadline is over; while deadlines stand still it is not."""
        execution = self._stores.executions.get(wait.workspace_id, wait.execution_id)
        if execution is None or execution.stopped_since is not None:
            return False
        return waits.is_too_late(wait, execution.stopped_for, self._clock.now())

    def look_again(self, wait: Wait, after: timedelta) -> None:
        """Let the sweep look at a wait again, after a while."""
        self._stores.waits.rest([replace(wait, due_at=self._clock.now() + after, outbox=())])

    def wake(self, wait: Wait) -> None:
        """Make the block of a fired wait ready and dispatch it; one that is not parked yet looks at the wait itself."""
        self.clear(wait)
        block = self._stores.blocks.get(wait.workspace_id, block_execution_id(wait.execution_id, wait.block_id))
        if block is None or block.epoch != wait.epoch or block.status is not wait.kind.parked_status:
            self._finisher.rest(wait)
        else:
            self._wake(block, wait)

    def _wake(self, block: BlockExecution, wait: Wait) -> None:
        ready = blocks.wake(block, self._clock.now(), self._timings.lease, f"{wait.kind.value}_fired")
        if self._stores.blocks.change(block, ready):
            self._finisher.relay(ready)
            self._finisher.rest(wait, urgent=True)
            execution = self._stores.executions.get(wait.workspace_id, wait.execution_id)
            if execution is not None and execution.may_start(ready.agent_id):
                self._sender.send(self._plans.of(execution), [ready])

    def _is_over(self, claim: Claim, parked: BlockExecution) -> bool:
        """Cancel a block that was parked while its execution was being cancelled; an agent at work is told first."""
        execution = self._stores.executions.get(parked.workspace_id, parked.execution_id)
        if execution is None or execution.status is not ExecutionStatus.CANCELLING:
            return False
        if parked.status is BlockStatus.AWAITING_AGENT:
            was_told = self._agents.stop(str(parked.agent_id), parked.key)
            if not was_told and execution.cancel_mode is CancelMode.FORCE:
                return False  # the sweep tells it again
        over = blocks.cancel(parked, self._clock.now(), self._timings.lease, "cancelled")
        if self._stores.blocks.change(parked, over):
            self._permits.give_back(claim.plan, over)
            self._closing.settle(claim.plan, parked.workspace_id, parked.execution_id)
            self._finisher.rest(over, urgent=True)
        return True


TOO_LATE = Failure(code="agent_timed_out", failure_class=FailureClass.TRANSIENT,
                   message="The agent took the work and did not end it in time.")


def told(answer: Completed | Failure) -> dict[str, Any]:
    """Return what the wait for an agent is fired with (JSON)."""
    if isinstance(answer, Failure):
        return {"failure": answer.to_document()}
    return {"output": dict(answer.output), "usage": dict(answer.usage)}


def answer_of(payload: Mapping[str, Any]) -> Completed | Failure:
    """Return what an agent answered from what its wait was fired with."""
    failure = payload.get("failure")
    if failure is None:
        return Completed(output=payload["output"], usage=payload["usage"])
    return Failure(code=failure["code"], failure_class=FailureClass(failure["class"]), message=failure["message"])


def verdict_of(wait: Wait | None) -> Mapping[str, Any] | None:
    """Return what a wait was fired with; None if it has not fired."""
    return wait.payload if wait is not None and wait.status is WaitStatus.FIRED else None
