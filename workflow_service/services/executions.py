"""Executions: starting them and showing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.commands import ExecutionFilter, StartExecution
from workflow_service.domain.errors import NotFound, Unavailable
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.recovery import RecoveryPoint
from workflow_service.domain.statuses import IN_FLIGHT, ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services import views
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.inputs import reads_context
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, StateService, TemplateRepository
from workflow_service.services.sending import Sender
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings


class Executions:
    """Starts executions and shows them."""

    def __init__(self, stores: Stores, templates: TemplateRepository, plans: Plans, sender: Sender, finisher: Finisher,
                 standing_holds: StandingHolds, closing: Closing, state: StateService, clock: Clock,
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
        self._state = state
        self._clock = clock
        self._new_id = new_id
        self._timings = timings

    def start(self, user: User, command: StartExecution) -> Execution:
        """Run a template version; once this returns the execution ends some day, whatever dies.

        The workspace's shared context is taken as it is now, so that a block reads the same in each of its attempts.

        Raises:
            NotFound: the workspace has no such template or version.
            Unavailable: the template reads the shared context and the State Management Service does not answer.
        """
        stored = self._templates.get(user.workspace_id, command.template_id, command.version)
        if stored is None:
            raise NotFound("template", command.template_id)
        version = str(stored.document["version"])
        plan = self._plans.get(user.workspace_id, command.template_id, version)
        now = self._clock.now()
        context = self._state.context(user.workspace_id) if reads_context(plan) else {}
        execution = Execution(
            workspace_id=user.workspace_id, execution_id=self._new_id(), template_id=command.template_id,
            template_version=version, created_by=user.name, created_at=now, input=command.input, context=context,
            remaining=plan.template.timeout or self._timings.execution_timeout, due_at=now + self._timings.lease)
        self._stores.executions.insert(execution)
        return self.open(plan, execution)

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
        self._finisher.relay(*roots)
        if opened.holds:
            self._standing_holds.reconcile(opened.workspace_id, opened.execution_id)
            self._closing.settle(plan, opened.workspace_id, opened.execution_id)
        self._finisher.rest(opened)
        self._sender.send(plan, [root for root in roots if opened.may_start(root.agent_id)])
        return opened

    def get(self, user: User, execution_id: str) -> dict[str, Any]:
        """Return an execution with its blocks, in the shape of section 4.2.

        Raises:
            NotFound: the workspace has no such execution.
        """
        execution = self._stores.execution_of(user, execution_id)
        plan = self._plans.of(execution)
        names = [node_id for node_id, node in plan.nodes.items() if not node.is_join]
        found = {block.block_id: block
                 for block in self._stores.blocks.get_all(user.workspace_id, execution_id, names)}
        return views.details(execution, [found[name] for name in names if name in found],
                             self._stores.approvals.of_execution(user.workspace_id, execution_id),
                             self._recovery_points(execution))

    def page(self, user: User, wanted: ExecutionFilter) -> tuple[list[dict[str, Any]], int]:
        """Return executions without their blocks, the latest first, and how many there are in all."""
        found, total = self._stores.executions.page(user.workspace_id, status=wanted.status, limit=wanted.limit,
                                                    template_id=wanted.template_id, offset=wanted.offset)
        return [views.summary(execution) for execution in found], total

    def in_flight(self, execution: Execution) -> list[dict[str, str]]:
        """Return the blocks of an execution that are at work: here, or at an agent that took the work."""
        plan = self._plans.of(execution)
        statuses = self._stores.blocks.statuses(execution.workspace_id, execution.execution_id, tuple(plan.nodes))
        return [{"blockId": name, "status": statuses[name].value} for name in plan.nodes
                if statuses.get(name) in IN_FLIGHT]

    def _recovery_points(self, execution: Execution) -> Sequence[RecoveryPoint]:
        """Return what the State Management Service keeps; nothing while it is away, for the rest is ours to show."""
        if execution.status is ExecutionStatus.PENDING:
            return ()
        try:
            return self._state.recovery_points(execution.workspace_id, execution.execution_id)
        except Unavailable:
            return ()
