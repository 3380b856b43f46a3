"""Restarting a part of an execution: a new epoch for some blocks and all that follows from them.

One intent at a time is written into the execution, with its hold; it names the epoch that each affected block is to
reach, so every step can be repeated by the sweep and changes nothing the second time. What is affected is decided in
``domain.restart``. A skip is a restart in which a block's output is supplied instead of its run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain import restart as rules
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import LATEST, ORIGINAL, RestartExecution
from workflow_service.domain.errors import Conflict, Invalid, Issue, NotFound
from workflow_service.domain.execution import Execution
from workflow_service.domain.ids import block_execution_id, edge_entry, idempotency_key
from workflow_service.domain.plan import Plan
from workflow_service.domain.restart import RestartPreview
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus
from workflow_service.domain.template import SideEffects
from workflow_service.domain.users import User
from workflow_service.services.children import Children
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.holds import Holds
from workflow_service.services.inputs import check_input, reads_context
from workflow_service.services.permits import Permits
from workflow_service.services.plans import Plans
from workflow_service.services.ports import AgentService, Clock, StateService, TemplateRepository
from workflow_service.services.releases import Releases
from workflow_service.services.standing_holds import StandingHolds
from workflow_service.services.startable import template_to_start
from workflow_service.services.stores import Stores
from workflow_service.services.timings import Timings

_NOT_NOW = (ExecutionStatus.PENDING, ExecutionStatus.CANCELLING)


@dataclass(frozen=True, kw_only=True)
class Restart:
    """An execution and what a restart does, or would do, to it."""

    execution: Execution
    preview: RestartPreview


class Restarts:
    """Restarts executions."""

    def __init__(self, stores: Stores, templates: TemplateRepository, plans: Plans, agents: AgentService,
                 state: StateService, releases: Releases, children: Children, closing: Closing, holds: Holds,
                 standing_holds: StandingHolds, permits: Permits, finisher: Finisher, clock: Clock,
                 timings: Timings) -> None:
        """Restart executions of these stores."""
        self._stores = stores
        self._templates = templates
        self._plans = plans
        self._agents = agents
        self._state = state
        self._releases = releases
        self._children = children
        self._closing = closing
        self._holds = holds
        self._standing_holds = standing_holds
        self._permits = permits
        self._finisher = finisher
        self._clock = clock
        self._timings = timings

    def restart(self, user: User, command: RestartExecution) -> Restart:
        """Run a part of an execution again, or say what that would do.

        Raises:
            NotFound: the workspace has no such execution, the definition no such block, the template no such version.
            Invalid: the command contradicts itself.
            UnfitInput: the patched input, or the input with the other definition, does not fit the input schema.
            Conflict: another restart is under way, it is being started or cancelled, nothing in it failed, or it runs
                and is to go on with another definition.
            Unavailable: the shared context is to be read again and the State Management Service does not answer.
        """
        _check(command)
        while True:
            execution = self.restartable(user, command.execution_id)
            wanted = self._redefined(execution, command)
            plan, found = self._plans.of(wanted), self._found(wanted)
            reset = self._affected(execution, plan, found, command)
            preview = rules.preview(plan, found, reset)
            if command.dry_run:
                return Restart(execution=execution, preview=preview)
            if self.begin(execution, wanted, found, reset, user.name):
                return Restart(execution=self.restartable(user, command.execution_id, begun=True), preview=preview)

    def restartable(self, user: User, execution_id: str, *, begun: bool = False) -> Execution:
        """Return an execution in which a restart may begin now (or, if it has begun, as it stands).

        Raises:
            NotFound: the workspace has no such execution.
            Conflict: another restart is under way, or it is being started or cancelled.
        """
        execution = self._stores.execution_of(user, execution_id)
        if not begun and (execution.restart_targets is not None or execution.status in _NOT_NOW):
            raise Conflict(f"Execution '{execution_id}' is being started, restarted or cancelled.")
        return execution

    def begin(self, execution: Execution, wanted: Execution, found: rules.Found, reset: frozenset[str], by: str,
              supplied: Mapping[str, Any] | None = None) -> bool:
        """Write down what is to be reset, and carry it out; False if the execution changed meanwhile.

        Args:
            execution: as it was read.
            wanted: the same with the definition, input and context that it goes on with.
            found: its blocks.
            reset: what is affected.
            supplied: block id -> what is taken instead of its run.
        """
        plan = self._plans.of(wanted)
        targets = {name: found[name].epoch + 1 if name in found else 1 for name in plan.nodes if name in reset}
        timeout = plan.template.timeout or self._timings.execution_timeout
        begun = executions.begin_restart(wanted, targets, timeout, self._clock.now(), supplied=supplied, by=by,
                                         from_version=execution.template_version)
        if not self._stores.executions.change(execution, begun):
            return False
        self._finisher.rest(begun, urgent=True)
        self.carry_out(begun)
        return True

    def carry_out(self, execution: Execution) -> None:
        """Bring a restart that was begun to its end; each step may be repeated."""
        targets = execution.restart_targets or {}
        plan = self._plans.of(execution)
        self._insert_missing(plan, execution, targets)
        if not all(self._reset(plan, execution, name, targets) for name in targets):
            return  # an agent did not confirm that it stopped, or somebody was in between: the sweep goes on
        if not self._still_stands(execution):
            return
        self._closing.supersede_requests(execution, targets)
        self._release_again(plan, execution, targets)
        # one that had ended was not among those that a standing hold was given to
        self._standing_holds.reconcile(execution.workspace_id, execution.execution_id)
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        if now is None or now.restart_targets is None or now.generation != execution.generation:
            return
        done = executions.end_restart(now, self._clock.now())
        if self._stores.executions.change(now, done):
            self._finisher.relay(done)
            self._holds.go_on(done)

    def _redefined(self, execution: Execution, command: RestartExecution) -> Execution:
        """Return the execution with the definition, input and context that the command asks for."""
        version = self._version(execution, command.definition)
        if version != execution.template_version and not execution.status.is_terminal:
            raise Conflict(f"Execution '{execution.execution_id}' is {execution.status.value}; only one that has ended "
                           "can go on with another definition.")
        wanted = replace(execution, template_version=version)
        if command.input_patch is not None:
            wanted = replace(wanted, input=rules.merged(execution.input, command.input_patch))
        if wanted.input != execution.input or version != execution.template_version:
            check_input(self._plans.of(wanted), wanted.input)
        if command.reset_state:
            reads = reads_context(self._plans.of(wanted))
            wanted = replace(wanted, context=self._state.context(execution.workspace_id) if reads else {})
        return wanted

    def _version(self, execution: Execution, definition: str) -> str:
        if definition == ORIGINAL:
            return execution.template_version
        stored = template_to_start(self._templates, execution.workspace_id, execution.template_id,
                                   None if definition == LATEST else definition)
        return str(stored.document["version"])

    def _affected(self, execution: Execution, plan: Plan, found: rules.Found,
                  command: RestartExecution) -> frozenset[str]:
        wanted = rules.changed(self._plans.of(execution), plan)
        if command.from_block is not None:
            if command.from_block not in plan.nodes or plan.nodes[command.from_block].is_join:
                raise NotFound("block", command.from_block)
            wanted |= {command.from_block}
        elif command.reset_state:
            wanted |= set(plan.roots)
        else:
            wanted |= rules.failed(plan, found)
        if not wanted and plan is self._plans.of(execution):
            raise Conflict(f"Nothing in execution '{command.execution_id}' failed or was cancelled; name the block to "
                           "restart from, or reset its state to run all of it again.")
        return rules.affected(plan, found, wanted)

    def _found(self, execution: Execution) -> rules.Found:
        names = tuple(self._plans.of(execution).nodes)
        return {block.block_id: block for block in self._stores.blocks.get_all(
            execution.workspace_id, execution.execution_id, names)}

    def _insert_missing(self, plan: Plan, execution: Execution, targets: Mapping[str, int]) -> None:
        """Store the blocks that a newer definition adds, before their first epoch; those that are there stay."""
        there = self._stores.blocks.statuses(execution.workspace_id, execution.execution_id, tuple(targets))
        names = [name for name in targets if name not in there]
        if names:
            self._stores.blocks.insert_all([blocks.unborn(
                plan.nodes[name], execution.workspace_id, execution.execution_id) for name in names])

    def _reset(self, plan: Plan, execution: Execution, name: str, targets: Mapping[str, int]) -> bool:
        """Move one block to its target epoch; True when it is there."""
        block = self._read(execution, name)
        if block.epoch >= targets[name]:
            return True
        if not self._is_stopped(plan, block) or not self._still_stands(execution):
            return False
        node = plan.nodes[name]
        epochs = {before: targets.get(before) or self._read(execution, before).epoch for before in node.predecessors}
        after = blocks.restart(block, targets[name], [edge_entry(before, epoch) for before, epoch in epochs.items()],
                               self._clock.now(), agent_id=node.block.agent_id if node.block else None,
                               supplied=(execution.restart_supplied or {}).get(name))
        if not self._stores.blocks.change(block, after):
            return False
        if not block.status.is_terminal:
            self._permits.give_back(plan, block)
        self._finisher.rest(after)
        return True

    def _still_stands(self, execution: Execution) -> bool:
        """Say whether the intent is still there, looked at after the block was read: a cancel gives it up.

        A cancel that comes between this look and the change makes a new version of the block before the execution
        ends, so the change fails, or finds the block open and ends it.
        """
        now = self._stores.executions.get(execution.workspace_id, execution.execution_id)
        return now is not None and now.restart_targets is not None and now.generation == execution.generation

    def _is_stopped(self, plan: Plan, block: BlockExecution) -> bool:
        """Confirm that no call of the old epoch can still have an effect, if one was made that may have one."""
        wanted = plan.nodes[block.block_id].block
        if wanted is not None and wanted.has_children:
            return self._children.give_up(block)
        if wanted is None or block.agent_id is None or block.attempt == 0:
            return True
        if wanted.side_effects is not SideEffects.UNSAFE or block.status is BlockStatus.COMPLETED:
            return True
        key = idempotency_key(block.execution_id, block.block_id, block.epoch)
        return self._agents.stop(block.agent_id, key)

    def _release_again(self, plan: Plan, execution: Execution, targets: Mapping[str, int]) -> None:
        """Let all ended predecessors decide their edges anew, then settle what has none pending.

        Those within the restart as well: one may have been skipped before its successor was reset.
        """
        for name in {before for name in targets for before in plan.nodes[name].predecessors}:
            source = self._read(execution, name)
            if source.status.is_terminal:
                self._releases.release(plan, source)
        for name in targets:
            block = self._read(execution, name)
            after = blocks.settle(block, plan.nodes[name], self._clock.now(), self._timings.lease)
            if after is None or not self._stores.blocks.change(block, after):
                continue
            if after.status.is_terminal:
                self._releases.release(plan, after)
            else:
                self._finisher.relay(after)

    def _read(self, execution: Execution, name: str) -> BlockExecution:
        block = self._stores.blocks.get(execution.workspace_id, block_execution_id(execution.execution_id, name))
        if block is None:
            raise LookupError(f"block {name} of {execution.execution_id} is not stored")
        return block


def _check(command: RestartExecution) -> None:
    if command.from_block is not None and command.failed_only:
        raise Invalid("The restart contradicts itself.", [Issue(
            path="failedOnly", code="contradiction", message="Either restart from a block or what failed, not both.",
            allowed=("false",))])
    if command.failed_only and command.reset_state:
        raise Invalid("The restart contradicts itself.", [Issue(
            path="resetState", code="contradiction", message="To reset the state is to run all of it again, not only "
            "what failed.", allowed=("false",))])
