"""Starting a child execution: made from its parent's block, so that the same one is started however often it is tried.

After a child is stored its parent is looked at again: whoever gave up the parent's block, or paused the parent, did so
before listing the children, so one of the two sees the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_service.domain import expressions
from workflow_service.domain.children import Body, Parent, child_id
from workflow_service.domain.errors import ExpressionError, NotFound, UnfitInput
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import ExecutionStatus, WaitStatus
from workflow_service.domain.template import Block
from workflow_service.domain.wait import Wait
from workflow_service.services.cancellation import Cancellation
from workflow_service.services.executions import Executions
from workflow_service.services.holds import Holds
from workflow_service.services.inputs import check_input, reads_context, variables_of
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, StateService
from workflow_service.services.recent import Recent
from workflow_service.services.results import Results
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_KEPT = 64
"""Blocks with children whose work a process remembers: a long list would be read again for each of its items."""


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is the same for all children of a block."""

    execution: Execution
    """The parent."""
    block: Block
    input: Mapping[str, Any]
    """Of the parent's block."""
    variables: Mapping[str, Any]
    """What the block's expressions read, besides what each child adds."""


class ChildStarts:
    """Starts children."""

    def __init__(self, stores: Stores, plans: Plans, executions: Executions, cancellation: Cancellation, holds: Holds,
                 results: Results, state: StateService, clock: Clock, timings: Timings) -> None:
        """Start children in these stores."""
        self._stores = stores
        self._plans = plans
        self._executions = executions
        self._cancellation = cancellation
        self._holds = holds
        self._results = results
        self._state = state
        self._clock = clock
        self._timings = timings
        self._kept: Recent[_Work] = Recent(_KEPT)

    def start(self, wait: Wait, index: int) -> None:
        """Start one child of the block that has this wait; one that was started is left as it is.

        Raises:
            ExpressionError: its input can't be evaluated.
            UnfitInput: its input does not fit the input schema of its template.
            NotFound: the version of its template is gone.
        """
        new = self._new(wait, parent_of(wait, index))
        child = new if self._stores.executions.insert(new) else self._stores.executions.get(
            wait.workspace_id, new.execution_id)
        if child is not None and child.status is ExecutionStatus.PENDING:
            self._open(child, wait)

    def _open(self, child: Execution, wait: Wait) -> None:
        stored = self._stores.waits.get(wait.workspace_id, wait.id)
        if stored is None or stored.status is not WaitStatus.OPEN:
            self._cancellation.give_up(child)
            return
        followed = self._holds.follow_parent(child)
        if followed is not None and followed.status is ExecutionStatus.PENDING:
            self._executions.open(self._plans.of(followed), followed)

    def _new(self, wait: Wait, parent: Parent) -> Execution:
        work = self._work(wait)
        scope = self._scope(wait, work, parent.index)
        body = _body(work.execution, work.block)
        plan = self._plan(wait, work, body)
        given = self._input(work, scope) if body is None else scope
        check_input(plan, given)  # of a body anything goes
        now, above = self._clock.now(), work.execution
        return Execution(
            workspace_id=wait.workspace_id, execution_id=child_id(parent), template_id=plan.template.template_id,
            template_version=plan.template.version, created_by=above.created_by, created_at=now, input=given,
            context=self._context(above, plan) if body is None else {},
            parent=parent, ancestors=(*above.ancestors, above.execution_id), tags=above.tags, body=body,
            remaining=plan.template.timeout or self._timings.execution_timeout, due_at=now + self._timings.lease)

    def _scope(self, wait: Wait, work: _Work, index: int) -> dict[str, Any]:
        """Return what a child's expressions read besides what all of them do."""
        if work.block.map is not None:
            items: Sequence[Any] = work.input["items"]
            return {work.block.map.name: items[index], "index": index}
        if work.block.loop is not None:
            return {"iteration": index, "last": self.output(wait, index - 1) if index else None}
        return {}

    def output(self, wait: Wait, index: int) -> dict[str, Any] | None:
        """Return what a child gave; None if it did not complete."""
        child = self._stores.executions.get(wait.workspace_id, child_id(parent_of(wait, index)))
        return self._results.of(child) if child and child.status is ExecutionStatus.COMPLETED else None

    def _input(self, work: _Work, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return the input of a template: what a person was shown if it is one, else what its expressions give."""
        if work.block.map is None and work.block.loop is None:
            return dict(work.input)
        resolved: dict[str, Any] = expressions.resolve(work.block.configuration, {**work.variables, **scope})
        return resolved

    def _plan(self, wait: Wait, work: _Work, body: Body | None) -> Plan:
        above, workflow = work.execution, work.block.workflow
        if body is not None:
            return self._plans.get(above.workspace_id, above.template_id, above.template_version, body)
        assert workflow is not None and wait.children is not None, "what is no body runs a template of its own"
        return self._plans.get(above.workspace_id, workflow.template_id, str(wait.children.version))

    def _context(self, above: Execution, plan: Plan) -> Mapping[str, Any]:
        return self._state.context(above.workspace_id) if reads_context(plan) else {}

    def _work(self, wait: Wait) -> _Work:
        """Return the work of the block that has this wait, from memory if this process has just read it."""
        work = self._kept.get(wait.id)
        if work is None:
            work = self._read(wait)
            self._kept.set(wait.id, work)
        return work

    def _read(self, wait: Wait) -> _Work:
        execution = self._stores.executions.get(wait.workspace_id, wait.execution_id)
        stored = self._stores.blocks.get(wait.workspace_id, block_execution_id(wait.execution_id, wait.block_id))
        if execution is None or stored is None:
            raise LookupError(f"wait {wait.id} has no block")
        block = self._plans.of(execution).nodes[wait.block_id].block
        assert block is not None, "joins of the compiler have no children"
        return _Work(execution=execution, block=block, input=stored.input or {},
                     variables=variables_of(self._stores, execution, block))


REFUSED = (ExpressionError, UnfitInput, NotFound)
"""Why a child can't be started, ever."""


def parent_of(wait: Wait, index: int) -> Parent:
    """Return the parent that a child of the block with this wait has."""
    return Parent(execution_id=wait.execution_id, block_id=wait.block_id, epoch=wait.epoch, index=index,
                  round=wait.revision)


def _body(above: Execution, block: Block) -> Body | None:
    """Return what a child runs; None if that is a template of its own, as no map is left within it."""
    if block.workflow is not None and (block.map is None or block.map.inner is None):
        return None
    outside = above.body.level if above.body is not None else 0
    return Body(block_id=block.block_id, level=outside + (block.map is not None))
