"""The witness: remembers what callers were told, and notes whatever happens against it.

An acknowledged pause, hold or cancel is a promise: no call begins any more, unless by an owner who had claimed its
block when the promise was given. And while the clock of an execution stands still, no deadline comes nearer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workflow_service.domain.agents import AgentCall
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelMode
from workflow_service.domain.events import Event
from workflow_service.domain.execution import OPERATOR_HOLD, Execution, is_standing
from workflow_service.domain.plan import Plan
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.template import SideEffects
from workflow_service.services.ports import BlockRepository, ExecutionRepository, StandingHoldRepository

_CLOCK_GOES = frozenset({ExecutionStatus.RUNNING, ExecutionStatus.PAUSING, ExecutionStatus.PAUSED})
_GIVEN_UP = frozenset({ExecutionStatus.CANCELLING, ExecutionStatus.COMPLETED, ExecutionStatus.FAILED,
                       ExecutionStatus.CANCELLED})

_LEFT = frozenset({BlockStatus.READY, BlockStatus.RETRY_WAIT})
"""Of a block that nobody waits for: its agent is told when it is given up, but need not confirm."""

Owners = frozenset[tuple[str, int]]
"""Claims: block id and fence."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a caller was told: nothing new begins as long as this stands."""

    word: str
    stands: Callable[[Execution], bool]
    agent_id: str | None
    """Whose calls it concerns; None for all."""
    owners: Owners
    """Those who had claimed a block by then."""


class Witness:
    """Sees each call of a store and each beginning of work."""

    def __init__(self, executions: ExecutionRepository, blocks: BlockRepository, holds: StandingHoldRepository,
                 plan_of: Callable[[Execution], Plan], at_work: Callable[[], Iterable[str]], workspace_id: str) -> None:
        """Watch the one execution of these stores.

        Args:
            at_work: gives the keys on which agents work.
        """
        self.faults: list[str] = []
        self._executions = executions
        self._blocks = blocks
        self._holds = holds
        self._plan_of = plan_of
        self._at_work = at_work
        self._workspace_id = workspace_id
        self._claims: dict[str, dict[str, int]] = {}
        self._promises: list[Promise] = []
        self._left: set[str] = set()
        """Keys that nobody waited for when their blocks were cancelled."""
        self._lives: list[Execution] = []
        """The execution after each of its changes."""

    # ---- what happens

    def sees(self, speaker: str, call: str, arguments: Sequence[Any], result: Any) -> None:
        """Take note of a call of a store."""
        if call in ("blocks.change", "executions.change") and result is True:
            after = arguments[1]
            if isinstance(after, BlockExecution) and after.status is BlockStatus.RUNNING:
                self._claims.setdefault(speaker, {})[after.block_id] = after.fence
            elif isinstance(after, BlockExecution):
                self._sees_block(arguments[0], after)
            elif isinstance(after, Execution):
                self._lives.append(after)
                self._sees_end(after)

    def begins(self, speaker: str, call: AgentCall) -> None:
        """See to it, at the moment when work begins, that no promise is broken."""
        execution = self._execution()
        assert execution is not None
        owner = (call.block_id, self._claims.get(speaker, {}).get(call.block_id, -1))
        if execution.status.is_terminal or execution.status is ExecutionStatus.PAUSED:
            self.faults.append(f"I8 work on {call.idempotency_key} begins while the execution is {execution.status}")
        others = [key for key in self._at_work() if key.rsplit(":", 1)[0] == call.idempotency_key.rsplit(":", 1)[0]]
        node = self._plan_of(execution).nodes[call.block_id]
        if others and node.block is not None and node.block.side_effects is SideEffects.UNSAFE:
            self.faults.append(f"work on {call.idempotency_key} begins while {others} are at work")
        for promise in self._promises:
            if promise.agent_id in (None, call.agent_id) and owner not in promise.owners and promise.stands(execution):
                self.faults.append(f"work on {call.idempotency_key} by fence {owner[1]} begins after {promise.word} "
                                   "was acknowledged")

    def _sees_block(self, before: BlockExecution, after: BlockExecution) -> None:
        """Note a key that nobody waited for, and see to it that no other block is withdrawn while it is at work."""
        if after.status is BlockStatus.CANCELLED and before.status in _LEFT:
            self._left.add(after.key)
        is_withdrawn = after.status is BlockStatus.SKIPPED and after.fence > before.fence
        if is_withdrawn and before.status not in _LEFT and after.key in self._at_work():
            self.faults.append(f"{after.key} is withdrawn, and its agent is at work")

    def _sees_end(self, execution: Execution) -> None:
        """See to it that no agent works on a block that a forced cancel has given up."""
        if not execution.status.is_terminal or execution.cancel_mode is not CancelMode.FORCE:
            return
        for block in self._all_blocks(execution):
            told = block.key not in self._left
            if block.status is BlockStatus.CANCELLED and told and block.key in self._at_work():
                self.faults.append(f"the forced cancel is over, and {block.key} is at work")

    def acknowledged(self, word: str, result: Any) -> None:
        """Take note of what an operator was told."""
        execution = self._execution()
        if isinstance(result, StandingHold):
            self._promise_hold(result, execution)
        elif execution is None:
            return
        elif word == "pause" and OPERATOR_HOLD in execution.holds:
            number = self._lifts(OPERATOR_HOLD)
            self._promise(word, lambda now: self._lifts(OPERATOR_HOLD) == number)
        elif word in ("cancel", "force") and execution.status in _GIVEN_UP:
            generation = execution.generation
            self._promise(word, lambda now: now.generation == generation and now.status in _GIVEN_UP)

    def _promise_hold(self, hold: StandingHold, execution: Execution | None) -> None:
        if hold.status is not HoldStatus.APPLIED or not self._is_applied(hold):
            return
        self._promise(f"hold {hold.name}", lambda now: self._is_applied(hold),
                      hold.name.removeprefix("agent:") if hold.name.startswith("agent:") else None)
        if execution is None or execution.status in _GIVEN_UP or not hold.concerns(execution, self._plan_of(execution)):
            return
        comes = execution.status is ExecutionStatus.PENDING or execution.restart_targets is not None
        if hold.name not in execution.holds and not comes:
            self.faults.append(f"hold {hold.name} is applied, and not in the execution: {execution.holds}")

    def _promise(self, word: str, stands: Callable[[Execution], bool], agent_id: str | None = None) -> None:
        running: Owners = frozenset()
        execution = self._execution()
        if execution is not None:
            running = frozenset((block.block_id, block.fence) for block in self._all_blocks(execution)
                                if block.status is BlockStatus.RUNNING)
        self._promises.append(Promise(word=word, stands=stands, agent_id=agent_id, owners=running))

    # ---- what is wrong when all has settled down

    def wrong(self, approvals: Sequence[Approval], history: Sequence[Event],
              timeout: timedelta | None) -> Iterator[str]:
        """Yield what broke a promise.

        Args:
            history: all events.
            timeout: the execution's.
        """
        yield from self.faults
        execution = self._execution()
        if execution is None:
            return
        yield from self._wrong_holds(execution)
        for approval in approvals:
            yield from self._early_escalations(approval, history)
        yield from self._early_time_outs(timeout)

    def _wrong_holds(self, execution: Execution) -> Iterator[str]:
        """Yield the differences between the standing holds and those of the execution."""
        stored = self._holds.of_workspace(self._workspace_id)
        yield from (f"hold {hold.name} is {hold.status} for ever" for hold in stored
                    if hold.status is not HoldStatus.APPLIED)
        if execution.status in _GIVEN_UP:
            return
        wanted = {hold.name for hold in stored if hold.concerns(execution, self._plan_of(execution))}
        found = {name for name in execution.holds if is_standing(name)}
        if wanted != found:
            yield f"the execution has the standing holds {sorted(found)}, in force are {sorted(wanted)}"

    def _early_escalations(self, approval: Approval, history: Sequence[Event]) -> Iterator[str]:
        since = approval.requested_at
        for event in history:
            if event.source == approval.approval_id and event.type == "approval_timeout":
                if self._went(since, event.at, frozenset(ExecutionStatus)) < approval.timeout:
                    yield f"{approval.approval_id} was escalated early, at {event.at}, counted from {since}"
                since = event.at

    def _early_time_outs(self, timeout: timedelta | None) -> Iterator[str]:
        since: datetime | None = None
        for before, after in zip([None, *self._lives], self._lives, strict=False):
            at = after.outbox[-1].at
            if since is None or (before is not None and before.status.is_terminal and not after.status.is_terminal):
                since = at
            if after.error is not None and after.error["code"] == "execution_timed_out" and timeout is not None:
                if after.status is ExecutionStatus.CANCELLING and self._went(since, at, _CLOCK_GOES) < timeout:
                    yield f"it timed out early, at {at}, counted from {since}"

    def _went(self, since: datetime, until: datetime, statuses: frozenset[ExecutionStatus]) -> timedelta:
        """Return how long, within a time, the clock went on and the execution had one of these statuses."""
        went = timedelta()
        ends: list[datetime] = [one.outbox[-1].at for one in self._lives[1:]]
        for one, end in zip(self._lives, [*ends, until], strict=True):
            begin, end = max(one.outbox[-1].at, since), min(end, until)
            if one.stopped_since is None and one.status in statuses and end > begin:
                went += end - begin
        return went

    def _is_applied(self, hold: StandingHold) -> bool:
        return any(one.hold_id == hold.hold_id and one.status is HoldStatus.APPLIED
                   for one in self._holds.of_workspace(self._workspace_id))

    def _lifts(self, name: str) -> int:
        """Return how often a hold was taken out of the execution."""
        return sum(name in before.holds and name not in after.holds
                   for before, after in zip(self._lives, self._lives[1:], strict=False))

    def _all_blocks(self, execution: Execution) -> Sequence[BlockExecution]:
        return self._blocks.get_all(self._workspace_id, execution.execution_id, tuple(self._plan_of(execution).nodes))

    def _execution(self) -> Execution | None:
        return self._executions.get(self._workspace_id, "e")
