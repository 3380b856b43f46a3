"""Interventions: what an operator does to a single block that is stuck."""

from __future__ import annotations

from workflow_service.domain import blocks
from workflow_service.domain import restart as rules
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import RetryBlock, SkipBlock
from workflow_service.domain.errors import Conflict, ExpressionError, Invalid, Issue, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import FAILURES, BlockStatus
from workflow_service.domain.template import Block
from workflow_service.domain.users import User
from workflow_service.services.finish import Finisher
from workflow_service.services.inputs import choose, variables_of
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock
from workflow_service.services.restarts import Restarts
from workflow_service.services.sending import Sender
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Interventions:
    """Skips blocks and retries them now."""

    def __init__(self, stores: Stores, plans: Plans, restarts: Restarts, sender: Sender, finisher: Finisher,
                 clock: Clock, timings: Timings) -> None:
        """Intervene in executions of these stores."""
        self._stores = stores
        self._plans = plans
        self._restarts = restarts
        self._sender = sender
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def skip(self, user: User, command: SkipBlock) -> Execution:
        """Complete a block that failed or does not end with an output that a person gives; what follows goes on.

        The block completes in a new epoch, so nothing that its old one still does counts. Blocks that were cancelled
        because of it run, unless they also wait for another one that failed.

        Raises:
            NotFound: the workspace has no such execution, or the execution no such block.
            Conflict: the block has not failed and is not waiting, or the execution is being restarted or cancelled.
            Invalid: no branch can be chosen by this output.
        """
        while True:
            execution = self._restarts.restartable(user, command.execution_id)
            plan = self._plans.of(execution)
            found = {block.block_id: block for block in self._stores.blocks.get_all(
                user.workspace_id, command.execution_id, tuple(plan.nodes))}
            described = _described(plan, command.block_id)
            _check_skippable(found[command.block_id])
            supplied = {"output": dict(command.output), "by": user.name, "reason": command.reason,
                        "chosen": self._chosen(execution, described, command)}
            reset = rules.affected_by_skip(plan, found, command.block_id)
            if self._restarts.begin(execution, execution, found, reset, user.name, {command.block_id: supplied}):
                return self._restarts.restartable(user, command.execution_id, begun=True)

    def retry(self, user: User, command: RetryBlock) -> Execution:
        """Make the next attempt of a block now instead of when it is due.

        Raises:
            NotFound: the workspace has no such execution, or the execution no such block.
            Conflict: the block is not waiting for a retry.
        """
        identifier = block_execution_id(command.execution_id, command.block_id)
        while True:
            execution = self._stores.execution_of(user, command.execution_id)
            block = self._stores.blocks.get(user.workspace_id, identifier)
            if block is None:
                raise NotFound("block", command.block_id)
            if block.status is not BlockStatus.RETRY_WAIT:
                raise Conflict(f"Block '{command.block_id}' is {block.status.value}; it does not wait for a retry.")
            if self._wake(execution, block):
                return execution

    def _wake(self, execution: Execution, block: BlockExecution) -> bool:
        ready = blocks.wake(block, self._clock.now(), self._timings.lease, "retried_now")
        if not self._stores.blocks.change(block, ready):
            return False
        self._finisher.relay(ready)
        if execution.may_start(ready.agent_id):
            self._sender.send(self._plans.of(execution), [ready])
        return True

    def _chosen(self, execution: Execution, described: Block, command: SkipBlock) -> list[str] | None:
        """Return the branches that the supplied output takes."""
        try:
            variables = variables_of(self._stores, execution, described)
            chosen = choose(described.conditions, variables, command.output)
        except ExpressionError as error:
            raise _no_branch(str(error)) from error
        if chosen == () and described.conditions is not None and described.conditions.type == "exclusive":
            raise _no_branch("No branch condition is true for it, and there is no default branch.")
        return None if chosen is None else list(chosen)


def _described(plan: Plan, block_id: str) -> Block:
    node = plan.nodes.get(block_id)
    if node is None or node.block is None:
        raise NotFound("block", block_id)
    return node.block


def _check_skippable(block: BlockExecution) -> None:
    if block.status in FAILURES or block.status is BlockStatus.RETRY_WAIT or block.status.is_parked:
        return
    raise Conflict(f"Block '{block.block_id}' is {block.status.value}; only one that failed, was rejected or waits can "
                   "be skipped.")


def _no_branch(message: str) -> Invalid:
    return Invalid("The output does not lead on.", [Issue(path="output", code="no_branch", message=message)])
