"""Children: what a block waits for that is a map, a loop or another workflow, and what came of it.

The block parks, then its children are started: one in each lane, the others by whoever ends the one before. A child
that has ended stays due until this was done, and the wait stays due until all lanes have begun; so whatever dies in
between, the sweep goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow_service.domain import blocks, children, expressions
from workflow_service.domain import wait as waits
from workflow_service.domain.agents import Completed, Failure, FailureClass
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.children import MAX_DEPTH, Parent, Round, child_id, new_round
from workflow_service.domain.commands import CancelMode
from workflow_service.domain.errors import NotFound, TemplateIsArchived, TemplateIsDraft, WorkflowServiceError
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id, wait_id
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import ExecutionStatus, WaitKind, WaitStatus
from workflow_service.domain.template import Block
from workflow_service.domain.wait import Wait, wait_of
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.child_starts import REFUSED, ChildStarts, parent_of
from workflow_service.services.claims import Claim
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, TemplateRepository
from workflow_service.services.startable import template_to_start
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings
from workflow_service.services.waits import Waits


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A block that goes on when its children have ended."""

    block: BlockExecution
    wait: Wait


class Children:
    """Starts the children of blocks and counts them."""

    def __init__(self, stores: Stores, plans: Plans, templates: TemplateRepository, starts: ChildStarts, waits: Waits,
                 cancellation: Cancellation, closing: Closing, finisher: Finisher, clock: Clock,
                 timings: Timings) -> None:
        """Keep count in these stores."""
        self._stores = stores
        self._plans = plans
        self._templates = templates
        self._starts = starts
        self._waits = waits
        self._cancellation = cancellation
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def look(self, claim: Claim, ours: BlockExecution, block: Block,
             variables: Mapping[str, Any]) -> Completed | Failure | Awaited:
        """Return what came of a claimed block's children, or what it is to wait for now.

        Args:
            ours: the claimed block with its input.

        Raises:
            ExpressionError: the condition of a loop can't be evaluated.
        """
        wait = self._stores.waits.get(ours.workspace_id, wait_of(ours, WaitKind.CHILDREN).id)
        if wait is None or wait.status is not WaitStatus.FIRED or wait.children is None:
            return self._begin(claim, ours, block)
        if not wait.children.goes_on:
            return _failed(wait.children, block)
        if block.map is not None:
            return Completed(output=self._collected(wait, wait.children))
        output = self._starts.output(wait, wait.children.first) or {}
        return Completed(output=output) if block.loop is None else self._looped(claim, ours, block, variables, output)

    def start(self, wait: Wait) -> None:
        """Start the first child of each lane of a block that has parked."""
        stored = self._stores.waits.get(wait.workspace_id, wait.id)
        if stored is None or stored.status is not WaitStatus.OPEN or stored.children is None:
            return
        for lane in stored.children.open_lanes:
            self._go_on(stored, lane, stored.children.in_lane(lane).start)
        self._count(stored, lambda counted: replace(counted, begun=True))

    def ended(self, child: Execution) -> None:
        """Take note of a child that has ended, or is paused; repeated, it changes nothing."""
        parent = child.parent
        if parent is None or (child.status.is_terminal and self._note(child, parent)):
            return
        above = self._stores.executions.get(child.workspace_id, parent.execution_id)
        if above is not None and above.status is ExecutionStatus.CANCELLING:
            self._cancellation.carry_out(above)
        elif above is not None and child.status is ExecutionStatus.PAUSED:
            self._closing.settle(self._plans.of(above), above.workspace_id, above.execution_id)

    def repair(self, wait: Wait) -> None:
        """Go on in every open lane of a block from the child that it has come to."""
        if wait.children is None:
            return
        for lane in wait.children.open_lanes:
            self._repair_lane(wait, wait.children, lane)
        self._count(wait, lambda counted: replace(counted, begun=True))

    def give_up(self, block: BlockExecution, mode: CancelMode = CancelMode.GRACEFUL) -> bool:
        """Stop all children of a block that goes on without them; True when none is at work any more.

        The wait is ended first, so that no further child is opened.
        """
        wait = self._stores.waits.get(block.workspace_id, wait_of(block, WaitKind.CHILDREN).id)
        if wait is not None and wait.status is WaitStatus.OPEN:
            over = waits.cancel(wait, self._clock.now())
            if not self._stores.waits.change(wait, over):
                return False
            self._finisher.rest(over)
        return not self._cancellation.give_up_children(block.workspace_id, block.execution_id, block.block_id, mode)

    def _begin(self, claim: Claim, ours: BlockExecution, block: Block) -> Completed | Failure | Awaited:
        if len(claim.execution.ancestors) >= MAX_DEPTH:
            return _failure("too_deep", f"Executions are parts of each other {MAX_DEPTH} deep at most.")
        try:
            version = self._version(ours, block)
        except WorkflowServiceError as error:
            return _failure("workflow_unavailable", str(error))
        total = len((ours.input or {})["items"]) if block.map is not None else 1
        if not total:
            return Completed(output={"results": [], "failed": [], "total": 0})
        begun = self._round(claim.plan, block, ours.round, total, version)
        wait = wait_of(ours, WaitKind.CHILDREN, ask_at=self._clock.now() + self._timings.lease)
        return Awaited(block=ours, wait=replace(wait, children=begun))

    def _round(self, plan: Plan, block: Block, first: int, total: int, version: str | None) -> Round:
        if block.map is None:
            return new_round(first, total, 1, version=version)
        usual = plan.template.max_parallel_blocks or self._timings.max_parallel_blocks
        return new_round(0, total, block.map.max_parallel or usual, block.map.tolerance, version)

    def _version(self, ours: BlockExecution, block: Block) -> str | None:
        if block.workflow is None:
            return None
        stored = template_to_start(self._templates, ours.workspace_id, block.workflow.template_id,
                                   block.workflow.version)
        return str(stored.document["version"])

    def _looped(self, claim: Claim, ours: BlockExecution, block: Block, variables: Mapping[str, Any],
                output: Mapping[str, Any]) -> Completed | Failure | Awaited:
        """End the loop, or go on with its next round."""
        assert block.loop is not None, "only a loop has rounds"
        known = {**variables, "output": output, "iteration": ours.round}
        if expressions.evaluate_condition(block.loop.until, known):
            return Completed(output={"last": output, "iterations": ours.round + 1})
        if ours.round + 1 >= block.loop.max_iterations:
            return _failure("loop_exhausted", f"'{block.loop.until}' was not true after {ours.round + 1} rounds.")
        return self._begin(claim, blocks.next_round(ours), block)

    def _note(self, child: Execution, parent: Parent) -> bool:
        """Count a child that has ended, and go on in its lane; False if nobody waits for it."""
        wait = self._stores.waits.get(child.workspace_id, wait_id(
            parent.execution_id, parent.block_id, parent.epoch, WaitKind.CHILDREN.value, parent.round))
        if wait is None or wait.status is not WaitStatus.OPEN or wait.children is None:
            return False
        if child.status is ExecutionStatus.COMPLETED:
            noted = self._count(wait, lambda counted: children.ended_well(counted, parent.index))
        else:
            error = {**(child.error or {"code": child.status.value}), "executionId": child.execution_id}
            noted = self._count(wait, lambda counted: children.ended_badly(counted, parent.index, error))
        if noted is not None and noted.children is not None:
            self._go_on(noted, noted.children.lane_of(parent.index), noted.children.after(parent.index))
        return True

    def _go_on(self, wait: Wait, lane: int, index: int | None) -> None:
        """Start the next child of a lane that can be started; if there is none the lane is done."""
        now: Wait | None = wait
        while now is not None and now.children is not None and now.children.goes_on and index is not None:
            try:
                return self._starts.start(now, index)
            except REFUSED as error:
                refused, following = _refusal(error), now.children.after(index)
                now = self._count(now, _noting(index, refused))
                index = following
        self._close_lane(wait, lane)

    def _close_lane(self, wait: Wait, lane: int) -> None:
        """Note that a lane is done; the last one wakes the block."""
        while True:
            now = self._stores.waits.get(wait.workspace_id, wait.id)
            if now is None or now.status is not WaitStatus.OPEN or now.children is None:
                return
            left = children.close_lane(now.children, lane)
            if left.open_lanes:
                if left == now.children or self._changed(now, left) is not None:
                    return
            elif self._waits.fire(now, {}, counted=left):
                return

    def _count(self, wait: Wait, counted: Callable[[Round], Round]) -> Wait | None:
        """Store how far the children have come, on top of what others count at the same time; None if it is over."""
        now: Wait | None = wait
        while now is not None and now.status is WaitStatus.OPEN and now.children is not None:
            after = counted(now.children)
            if after == now.children:
                return now
            changed = self._changed(now, after)
            if changed is not None:
                return changed
            now = self._stores.waits.get(wait.workspace_id, wait.id)
        return None

    def _changed(self, wait: Wait, counted: Round) -> Wait | None:
        after = waits.count(wait, counted, self._clock.now())
        if not self._stores.waits.change(wait, after):
            return None
        self._finisher.rest(after)
        return after

    def _repair_lane(self, wait: Wait, counted: Round, lane: int) -> None:
        last: Execution | None = None
        for index in counted.in_lane(lane):
            child = self._stores.executions.get(wait.workspace_id, child_id(parent_of(wait, index)))
            if child is None or child.status is ExecutionStatus.PENDING:
                return self._go_on(wait, lane, index) if child or last is None else self.ended(last)
            if not child.status.is_terminal:
                return None
            last = child
        return None if last is None else self.ended(last)

    def _collected(self, wait: Wait, counted: Round) -> dict[str, Any]:
        """Return the outputs of all items in their order, null for those that failed."""
        parents = [parent_of(wait, index) for index in range(counted.total)]
        if counted.version is None:
            found = self._stores.blocks.get_many(wait.workspace_id, [
                block_execution_id(child_id(parent), wait.block_id) for parent in parents])
            outputs = {block.execution_id: block.output for block in found}
            results = [outputs.get(child_id(parent)) for parent in parents]
        else:
            results = [self._starts.output(wait, parent.index) for parent in parents]
        failed = set(counted.failed)
        return {"results": [None if index in failed else result for index, result in enumerate(results)],
                "failed": list(counted.failed), "total": counted.total}


def _noting(index: int, error: Mapping[str, Any]) -> Callable[[Round], Round]:
    return lambda counted: children.ended_badly(counted, index, error)


def _refusal(error: Exception) -> dict[str, Any]:
    code = "workflow_unavailable" if isinstance(error, NotFound | TemplateIsArchived | TemplateIsDraft) else \
        "invalid_input"
    return {"code": code, "class": FailureClass.CONFIGURATION.value, "message": str(error)}


def _failed(counted: Round, block: Block) -> Failure:
    first: Mapping[str, Any] = next(iter((counted.errors or {}).values()), {})
    if block.map is not None:
        return _failure("items_failed", f"{len(counted.failed)} of {counted.total} items failed, more than may. "
                        f"The first: {first.get('message') or first.get('code')}")
    code = "round_failed" if block.loop is not None else "workflow_failed"
    return _failure(code, str(first.get("message") or first.get("code")))


def _failure(code: str, message: str) -> Failure:
    return Failure(code=code, failure_class=FailureClass.CONFIGURATION, message=message)
