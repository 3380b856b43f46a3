"""Executions: starting them and showing them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.approval import Approval
from workflow_service.domain.attributes import attribute_issues
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import ExecutionFilter, StartExecution
from workflow_service.domain.errors import ExpressionError, IdempotencyKeyReused, Invalid, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.idempotency import key_issues
from workflow_service.domain.ids import keyed_execution_id
from workflow_service.domain.paging import Place
from workflow_service.domain.plan import Plan
from workflow_service.domain.recovery import RecoveryPoint
from workflow_service.domain.statuses import IN_FLIGHT, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services import views
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.inputs import check_input, reads_context
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, StateService, StoredTemplate, TemplateRepository
from workflow_service.services.results import Results
from workflow_service.services.sending import Sender
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.startable import template_to_start
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_READINGS = 3
"""How often an execution is read again because it changed while its blocks were read."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """What came of a request to start an execution."""

    execution: Execution
    replayed: bool
    """True if an earlier request with the same key had started it."""


@dataclass(frozen=True, kw_only=True)
class ExecutionPage:
    """Some executions without their blocks, the latest first."""

    executions: Sequence[dict[str, Any]]
    total: int
    next_cursor: str | None
    """Where the next page begins; None if this is the last."""


class Executions:
    """Starts executions and shows them."""

    def __init__(self, stores: Stores, templates: TemplateRepository, plans: Plans, sender: Sender, finisher: Finisher,
                 standing_holds: StandingHolds, closing: Closing, results: Results, state: StateService, clock: Clock,
                 new_id: Callable[[], str], timings: Timings) -> None:
        """Start executions in these stores.

        Args:
            new_id: mints the id of an execution.
        """
        self._stores = stores
        self._templates = templates
        self._plans = plans
        self._sender = sender
        self._finisher = finisher
        self._standing_holds = standing_holds
        self._closing = closing
        self._results = results
        self._state = state
        self._clock = clock
        self._new_id = new_id
        self._timings = timings

    def start(self, user: User, command: StartExecution) -> Execution:
        """Do as ``start_once`` and return the execution alone."""
        return self.start_once(user, command).execution

    def start_once(self, user: User, command: StartExecution) -> Started:
        """Run a template version; once this returns the execution ends some day, whatever dies.

        The workspace's shared context is taken as it is now, so that a block reads the same in each of its attempts.
        A key gives the execution its id, so its document claims the key: who repeats the request finds it, also if the
        first died right after it was stored, and two at once can't both store one.

        Raises:
            NotFound: the workspace has no such template or version.
            TemplateIsArchived: nothing of the template may be started.
            TemplateIsDraft: the version was not published.
            UnfitInput: the input does not fit the template's schema.
            Invalid: the key or the attributes break their rules.
            IdempotencyKeyReused: the key has started an execution with another request.
            Unavailable: the template reads the shared context and the State Management Service does not answer.
        """
        _check(command)
        if (earlier := self._earlier(user, command)) is not None:
            return earlier
        stored = template_to_start(self._templates, user.workspace_id, command.template_id, command.version)
        plan = self._plans.get(user.workspace_id, command.template_id, str(stored.document["version"]))
        check_input(plan, command.input)
        execution = self._new(user, command, plan, stored)
        if self._stores.executions.insert(execution):
            return Started(execution=self.open(plan, execution), replayed=False)
        if (earlier := self._earlier(user, command)) is not None:
            return earlier
        raise Unavailable("The store of executions")  # the id is taken, and yet nobody has it

    def _new(self, user: User, command: StartExecution, plan: Plan, stored: StoredTemplate) -> Execution:
        key, now = command.idempotency_key, self._clock.now()
        context = self._state.context(user.workspace_id) if reads_context(plan) else {}
        return Execution(
            workspace_id=user.workspace_id, template_id=command.template_id, template_version=plan.template.version,
            execution_id=self._new_id() if key is None else keyed_execution_id(user.workspace_id, key),
            created_by=user.name, created_at=now, input=command.input, context=context,
            tags=tuple(stored.document.get("tags") or ()), attributes=command.attributes, idempotency_key=key,
            request_digest=None if key is None else _digest(command),
            remaining=plan.template.timeout or self._timings.execution_timeout, due_at=now + self._timings.lease)

    def _earlier(self, user: User, command: StartExecution) -> Started | None:
        """Return the execution that the command's key has started; None if there is none.

        Raises:
            IdempotencyKeyReused: it was another request.
        """
        if command.idempotency_key is None:
            return None
        found = self._stores.executions.get(user.workspace_id,
                                            keyed_execution_id(user.workspace_id, command.idempotency_key))
        if found is None:
            return None
        if found.request_digest != _digest(command):
            raise IdempotencyKeyReused
        if found.status is ExecutionStatus.PENDING:  # who stored it has not opened it yet, or is dead
            found = self.open(self._plans.of(found), found)
        return Started(execution=found, replayed=True)

    def open(self, plan: Plan, execution: Execution) -> Execution:
        """Store the blocks of a pending execution and send the first of them; repeated, it changes nothing more.

        Standing holds are read now that the execution is stored; if there are any they are compared once more.
        """
        now = self._clock.now()
        created = blocks.new_blocks(plan, execution.workspace_id, execution.execution_id, now, self._timings.lease)
        self._stores.blocks.insert_all(created)
        opened = self._standing_holds.in_line(executions.start(execution, now))
        if not self._stores.executions.change(execution, opened):
            # it was opened, held or cancelled by somebody else, who goes on
            return self._stores.executions.get(execution.workspace_id, execution.execution_id) or opened
        roots = [block for block in created if block.block_id in plan.roots]
        if opened.holds:
            self._standing_holds.reconcile(opened.workspace_id, opened.execution_id)
            self._closing.settle(plan, opened.workspace_id, opened.execution_id)
            self._finisher.rest(opened)
        else:
            self._finisher.rest_later(opened)
        self._sender.send(plan, [root for root in roots if opened.may_start(root.agent_id)])
        return opened

    def get(self, user: User, execution_id: str) -> dict[str, Any]:
        """Return an execution with its blocks, in the shape of section 4.2.

        Raises:
            NotFound: the workspace has no such execution.
        """
        execution, found = self._with_blocks(user, execution_id)
        waits = (self._stores.waits.open_of(user.workspace_id, execution_id)
                 if any(block.status.is_parked for block in found) else ())
        return views.details(self._plans.of(execution), execution, found, self._asked(execution),
                             self._recovery_points(execution), waits, self._clock.now(), self._output(execution),
                             self._children(execution))

    def page(self, user: User, wanted: ExecutionFilter) -> ExecutionPage:
        """Return executions without their blocks, the latest first, and how many there are in all."""
        found, total = self._stores.executions.page(user.workspace_id, replace(wanted, limit=wanted.limit + 1))
        shown = found[:wanted.limit]
        last = Place(at=shown[-1].created_at, identifier=shown[-1].execution_id) if len(found) > len(shown) else None
        return ExecutionPage(executions=[views.summary(execution) for execution in shown], total=total,
                             next_cursor=None if last is None else last.cursor())

    def in_flight(self, execution: Execution) -> list[dict[str, str]]:
        """Return the blocks of an execution that are at work: here, or at an agent that took the work."""
        plan = self._plans.of(execution)
        statuses = self._stores.blocks.statuses(execution.workspace_id, execution.execution_id, tuple(plan.nodes))
        return [{"blockId": name, "status": statuses[name].value} for name in plan.nodes
                if statuses.get(name) in IN_FLIGHT]

    def _with_blocks(self, user: User, execution_id: str) -> tuple[Execution, Sequence[BlockExecution]]:
        """Return an execution and its blocks, in the order of the plan and without the compiler's joins.

        They can't be read at one instant. If the execution changed meanwhile (it ended, or was restarted), they may
        contradict each other, and are read again.
        """
        execution = self._stores.execution_of(user, execution_id)
        for _ in range(_READINGS):
            names = [node_id for node_id, node in self._plans.of(execution).nodes.items() if not node.is_join]
            found = {block.block_id: block
                     for block in self._stores.blocks.get_all(user.workspace_id, execution_id, names)}
            before, execution = execution, self._stores.execution_of(user, execution_id)
            if before.version == execution.version:
                break
        return execution, [found[name] for name in names if name in found]

    def _output(self, execution: Execution) -> dict[str, Any] | None:
        """Return what an execution gives; None before it has completed, and if that can't be evaluated."""
        if execution.status is not ExecutionStatus.COMPLETED:
            return None
        try:
            return self._results.of(execution)
        except ExpressionError:
            return None

    def _children(self, execution: Execution) -> Mapping[tuple[str, int], Mapping[str, int]]:
        if not self._plans.of(execution).has_children:
            return {}
        return self._stores.executions.child_counts(execution.workspace_id, execution.execution_id)

    def _asked(self, execution: Execution) -> Sequence[tuple[str, Approval]]:
        """Return the approvals of an execution and of all that are a part of it, each with the block that it is in."""
        found = self._stores.approvals.of_family(execution.workspace_id, execution.execution_id)
        blocks_of: dict[str, str] = {}
        for approval in found:
            below = _right_below(approval, execution.execution_id)
            if below is not None and below not in blocks_of:
                child = self._stores.executions.get(execution.workspace_id, below)
                if child is not None and child.parent is not None:
                    blocks_of[below] = child.parent.block_id
        return [(blocks_of.get(_right_below(approval, execution.execution_id) or "", approval.block_id), approval)
                for approval in found]

    def _recovery_points(self, execution: Execution) -> Sequence[RecoveryPoint]:
        """Return what the State Management Service keeps; nothing while it is away, for the rest is ours to show."""
        if execution.status is ExecutionStatus.PENDING:
            return ()
        try:
            return self._state.recovery_points(execution.workspace_id, execution.execution_id)
        except Unavailable:
            return ()


def _right_below(approval: Approval, execution_id: str) -> str | None:
    """Return the execution below this one that an approval is in; None if it is of this one itself."""
    line = (*approval.ancestors, approval.execution_id)
    place = line.index(execution_id) + 1
    return line[place] if place < len(line) else None


def _check(command: StartExecution) -> None:
    issues = [*attribute_issues(command.attributes), *key_issues(command.idempotency_key)]
    if issues:
        raise Invalid("The execution can't be started.", issues)


def _digest(command: StartExecution) -> str:
    """Return what tells two requests with the same key apart."""
    said = [command.template_id, command.version, command.input, command.attributes]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
