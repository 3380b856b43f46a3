"""Running one block: claim, look, input, gate, agent, complete, release (then, off the critical path, finish).

A message is a hint: losing it costs a sweep interval, getting it twice costs a claim that fails. Nothing here raises
because of an agent, an expression or a person: outcomes are stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain.agents import Accepted, AgentAnswer, AgentCall, Completed, Failure, FailureClass
from workflow_service.domain.approval import request
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelMode, RunBlock
from workflow_service.domain.errors import ExpressionError, Unavailable
from workflow_service.domain.flow import BlockKind
from workflow_service.domain.retry import decide_retry
from workflow_service.domain.statuses import ExecutionStatus, WaitKind
from workflow_service.domain.template import Block
from workflow_service.domain.wait import Wait, wait_of
from workflow_service.services.children import Children
from workflow_service.services.claims import Claim, Claims
from workflow_service.services.finish import Finisher
from workflow_service.services.inputs import Inputs, InvalidInput, choose, guard_allows
from workflow_service.services.leases import Lease, Leases
from workflow_service.services.ports import AgentService, Clock
from workflow_service.services.releases import Releases
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.services.waits import TOO_LATE, Waits, answer_of, verdict_of
from workflow_service.services.withdrawals import Withdrawals

log = logging.getLogger(__name__)

Ended = BlockExecution | None
"""The block as it has ended; None if it parked, waits for a retry, or is somebody else's."""


class Blocks:
    """Runs blocks."""

    def __init__(self, stores: Stores, claims: Claims, releases: Releases, withdrawals: Withdrawals, waits: Waits,
                 inputs: Inputs, children: Children, agents: AgentService, leases: Leases, finisher: Finisher,
                 clock: Clock,
                 monotonic: Callable[[], float], draw: Callable[[], float], timings: Timings) -> None:
        """Run blocks of these stores.

        Args:
            monotonic: seconds from a clock that is never set.
            draw: draws a number from [0, 1), for jitter.
        """
        self._stores = stores
        self._claims = claims
        self._releases = releases
        self._withdrawals = withdrawals
        self._waits = waits
        self._inputs = inputs
        self._children = children
        self._agents = agents
        self._leases = leases
        self._finisher = finisher
        self._clock = clock
        self._monotonic = monotonic
        self._draw = draw
        self._timings = timings

    def run(self, command: RunBlock) -> None:
        """Run a block and go on in place with its run, as long as the budget lasts."""
        until_s = self._monotonic() + self._timings.in_place_budget.total_seconds()
        claim = self._claims.claim(command)
        while claim is not None:
            ended = self._run(claim)
            if ended is None:
                return
            claim = self._releases.release(claim.plan, ended, brought=command.brings,
                                           stay=self._monotonic() < until_s and not self._leases.ending)

    def _run(self, claim: Claim) -> Ended:
        with self._leases.held(claim) as lease:
            try:
                return self._attempt(claim, lease)
            finally:
                self._claims.leave(claim)

    def _attempt(self, claim: Claim, lease: Lease) -> Ended:
        block = claim.plan.nodes[claim.block.block_id].block
        assert block is not None, "joins of the compiler are never claimed"
        try:
            self._withdrawals.withdraw_late(claim)
            variables = self._inputs.variables(claim, block)
            if not guard_allows(block.conditions, variables):
                return self._store(claim, blocks.skip(claim.block, self._clock.now(), self._timings.lease))
            # what was shown to a person, or sent to the agent before, is what counts for the whole epoch
            resolved = claim.block.input if claim.block.input is not None else self._inputs.resolve(block, variables)
            return self._pass_gate(claim, block, variables, resolved, lease)
        except ExpressionError as error:
            return self._fail(claim, block, _failure("expression_error", FailureClass.CONFIGURATION, str(error)))
        except InvalidInput as error:
            return self._fail(claim, block, _failure("invalid_input", FailureClass.CONFIGURATION, str(error)))
        except Unavailable:
            raise  # the store is away: the lease runs out and somebody claims the block again
        except Exception as error:  # a bug must not cost a lease after the other, and end as a lost worker
            log.exception("block failed", extra={"execution_id": claim.block.execution_id, "block_id": block.block_id})
            return self._fail(claim, block, _failure("internal_error", FailureClass.CRITICAL, type(error).__name__))

    def _pass_gate(self, claim: Claim, block: Block, variables: Mapping[str, Any],
                   resolved: Mapping[str, Any], lease: Lease) -> Ended:
        """Ask a person if the template says so; go on when they approved."""
        if not block.human_in_loop.required:
            return self._call(claim, block, variables, resolved, lease)
        wait = wait_of(claim.block, WaitKind.APPROVAL)
        verdict = verdict_of(self._stores.waits.get(wait.workspace_id, wait.id))
        if verdict is None:
            self._ask(claim, block, wait, resolved)
            return None
        if not verdict["approved"]:
            rejected = blocks.reject(claim.block, verdict["approver"], verdict["comments"], self._clock.now(),
                                     self._timings.lease)
            return self._store(claim, rejected)
        if block.human_in_loop.type in ("edit", "input"):
            resolved = {**resolved, **(verdict["response"] or {})}
        return self._call(claim, block, variables, resolved, lease)

    def _ask(self, claim: Claim, block: Block, wait: Wait, resolved: Mapping[str, Any]) -> None:
        gate = block.human_in_loop
        approval = request(wait, gate, block.name or block.block_id, resolved,
                           gate.timeout or self._timings.approval_timeout, self._clock.now(),
                           claim.execution.stopped_for, claim.execution.ancestors)
        if not self._waits.park(claim, blocks.with_input(claim.block, resolved), wait, approval, called=False):
            self._leases.drop(claim.block)

    def _call(self, claim: Claim, block: Block, variables: Mapping[str, Any], resolved: Mapping[str, Any],
              lease: Lease) -> Ended:
        if block.kind is BlockKind.END:
            return self._store(claim, blocks.complete(claim.block, {}, None, self._clock.now(), self._timings.lease,
                                                      cause="end_reached"))
        self._inputs.check(block, resolved)
        ours = blocks.with_input(claim.block, resolved)
        if block.has_children:
            return self._look_at_children(claim, block, variables, ours)
        answer = self._answer(ours, block, lease)
        if answer is None:
            return None
        if isinstance(answer, Completed):
            return self._complete(claim, block, variables, ours, answer.output)
        if isinstance(answer, Accepted):
            self._await_agent(claim, block, ours, answer)
            return None
        return self._fail(claim, block, answer, ours)

    def _complete(self, claim: Claim, block: Block, variables: Mapping[str, Any], ours: BlockExecution,
                  output: Mapping[str, Any]) -> Ended:
        chosen = choose(block.conditions, variables, output)
        if chosen == () and block.conditions is not None and not _may_choose_none(block):
            return self._fail(claim, block, _failure("no_branch", FailureClass.CONFIGURATION,
                                                     "No branch condition is true and there is no default branch."))
        return self._store(claim, blocks.complete(ours, output, chosen, self._clock.now(), self._timings.lease))

    def _look_at_children(self, claim: Claim, block: Block, variables: Mapping[str, Any],
                          ours: BlockExecution) -> Ended:
        """Let executions of their own do the work, and end the block when they have; they have retries, it has none."""
        found = self._children.look(claim, ours, block, variables)
        if isinstance(found, Completed):
            return self._complete(claim, block, variables, ours, found.output)
        if isinstance(found, Failure):
            return self._store(claim, blocks.fail(ours, found, self._clock.now(), self._timings.lease))
        if self._waits.park(claim, found.block, found.wait, None, called=False):
            self._children.start(found.wait)
        else:
            self._leases.drop(claim.block)
        return None

    def _answer(self, ours: BlockExecution, block: Block, lease: Lease) -> AgentAnswer | None:
        """Call the agent; if it took the work earlier and has ended it since, that is the answer.

        Returns:
            None if the lease is over: somebody else gets the block, and the agent must not hear of it twice.
        """
        if ours.parked_for is WaitKind.AGENT:
            told = verdict_of(self._stores.waits.get(ours.workspace_id, wait_of(ours, WaitKind.AGENT).id))
            if told is not None:
                return answer_of(told)
        lease.calls(ours)
        if not lease.holds():
            return None
        return self._agents.run(AgentCall(
            agent_id=str(block.agent_id), idempotency_key=ours.key, workspace_id=ours.workspace_id,
            execution_id=ours.execution_id, block_id=ours.block_id, tool_type=block.tool_type, input=ours.input or {},
            timeout=block.timeout or self._timings.agent_timeout))

    def _await_agent(self, claim: Claim, block: Block, ours: BlockExecution, answer: Accepted) -> None:
        """Park until the agent has done the work that it took."""
        now = self._clock.now()
        wait = wait_of(ours, WaitKind.AGENT, ask_at=now + answer.ask_again_after,
                       deadline=now + (block.timeout or self._timings.agent_patience),
                       stopped_for=claim.execution.stopped_for)
        if not self._waits.park(claim, ours, wait, None, called=True):
            self._leases.drop(claim.block)

    def _fail(self, claim: Claim, block: Block, failure: Failure, ours: BlockExecution | None = None) -> Ended:
        """Store a failed attempt: another try later if the retry policy says so, else the end."""
        mine, now = ours or claim.block, self._clock.now()
        stopped = self._stopped(mine)
        if stopped is not None:
            return self._store(claim, stopped)
        retry = decide_retry(block.retry_policy, failure, mine.retry_count + 1, self._draw())
        if retry is None:
            if failure.code == TOO_LATE.code:
                self._agents.stop(str(block.agent_id), mine.key)
            return self._store(claim, blocks.fail(mine, failure, now, self._timings.lease))
        waiting = blocks.wait_for_retry(mine, failure, now + retry.delay, now, retry.reason)
        if self._stores.blocks.change(claim.block, waiting):
            self._finisher.relay(waiting)
            self._cancel_if_over(claim, waiting)
        else:
            self._leases.drop(claim.block)
        return None

    def _stopped(self, mine: BlockExecution) -> BlockExecution | None:
        """Return how a block ends whose agent was told to stop, as that it was stopped is no failure; None if not."""
        execution = self._stores.executions.get(mine.workspace_id, mine.execution_id)
        if execution is None:
            return None
        if mine.block_id in execution.withdrawing:
            return blocks.withdraw(mine, self._clock.now(), self._timings.lease,
                                   execution.withdrawing[mine.block_id])
        if execution.status is ExecutionStatus.CANCELLING and execution.cancel_mode is CancelMode.FORCE:
            return blocks.cancel(mine, self._clock.now(), self._timings.lease, "cancelled")
        return None

    def _cancel_if_over(self, claim: Claim, waiting: BlockExecution) -> None:
        """Look at the execution again: a cancel that came before the block began to wait has not seen it."""
        execution = self._stores.executions.get(waiting.workspace_id, waiting.execution_id)
        if execution is None or execution.status is not ExecutionStatus.CANCELLING:
            return
        over = blocks.cancel(waiting, self._clock.now(), self._timings.lease, "cancelled")
        if self._stores.blocks.change(waiting, over):
            self._releases.release(claim.plan, over)

    def _store(self, claim: Claim, ended: BlockExecution) -> Ended:
        """Store the end of a block; None, and it is dropped, if the block is no longer ours."""
        if self._stores.blocks.change(claim.block, ended):
            return ended
        self._leases.drop(claim.block)
        return None


def _may_choose_none(block: Block) -> bool:
    """An inclusive choice may take no branch; an exclusive one without a default can't go on."""
    return block.conditions is not None and block.conditions.type == "inclusive"


def _failure(code: str, failure_class: FailureClass, message: str) -> Failure:
    return Failure(code=code, failure_class=failure_class, message=message, retry_after=None)
