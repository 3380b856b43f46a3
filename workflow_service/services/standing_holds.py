"""Standing holds: nothing of a template, an agent, a workspace or the whole service starts until they are lifted.

A hold is stored first, and is in force from then on: who starts or restarts an execution reads the holds after the
execution is stored. Then every live execution is brought in line, by its id, a page at a time. Whatever happens in
between, each execution is compared with the holds in force until there is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from workflow_service.domain import execution as executions
from workflow_service.domain.commands import ClockRule, HoldScope, PlaceHold
from workflow_service.domain.errors import AlreadyExists, Conflict, Forbidden, Invalid, Issue, NotFound
from workflow_service.domain.execution import Execution, is_standing
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.users import User
from workflow_service.services.closing import Closing
from workflow_service.services.finish import Finisher
from workflow_service.services.holds import Holds
from workflow_service.services.plans import Plans
from workflow_service.services.ports import Clock, TemplateRepository
from workflow_service.services.stores import Stores

_PAGE = 100
_UNFINISHED = frozenset({HoldStatus.APPLYING, HoldStatus.LIFTING})
_AT_ONCE = timedelta(seconds=5)
"""How long a request works on it; what is left is the sweep's."""


class StandingHolds:
    """Places and lifts standing holds."""

    def __init__(self, stores: Stores, templates: TemplateRepository, plans: Plans, holds: Holds, closing: Closing,
                 finisher: Finisher, clock: Clock, monotonic: Callable[[], float], new_id: Callable[[], str],
                 service_workspace: str) -> None:
        """Hold executions of these stores.

        Args:
            templates: of which one can be held.
            monotonic: seconds from a clock that is never set.
            new_id: mints the id of a hold.
            service_workspace: the workspace whose admins may hold the whole service.
        """
        self._stores = stores
        self._templates = templates
        self._plans = plans
        self._holds = holds
        self._closing = closing
        self._finisher = finisher
        self._clock = clock
        self._monotonic = monotonic
        self._new_id = new_id
        self._service_workspace = service_workspace

    def place(self, user: User, command: PlaceHold) -> StandingHold:
        """Hold everything within a scope; once its status is ``applied`` nothing of it starts.

        Raises:
            Forbidden: the scope is not this user's.
            Invalid: the scope and the target do not belong together, or the clock is to stop for an agent, whose
                executions go on.
            NotFound: the workspace has no such template. An agent may be unknown now and come back later.
            AlreadyExists: there is such a hold, or it is just being lifted.
        """
        self._check(user, command.scope)
        _check_target(command)
        clock = _clock_of(command)
        if command.scope is HoldScope.TEMPLATE and not self._is_known(user, str(command.target)):
            raise NotFound("template", str(command.target))
        is_service = command.scope is HoldScope.SERVICE
        hold = StandingHold(
            hold_id=self._new_id(), scope=command.scope, target=command.target,
            workspace_id=None if is_service else user.workspace_id, clock=clock, reason=command.reason,
            created_by=user.name, created_at=self._clock.now())
        if not self._stores.holds.insert(hold):
            raise AlreadyExists("hold", hold.name)
        return self.carry_out(hold, _AT_ONCE)

    def lift(self, user: User, hold_id: str) -> StandingHold:
        """Take a hold away and let go on what no other keeps; asking again changes nothing.

        Raises:
            NotFound: the workspace has no such hold.
            Forbidden: the scope is not this user's.
            Conflict: somebody else changed it at the same time.
        """
        hold = next((hold for hold in self.all(user) if hold.hold_id == hold_id), None)
        if hold is None:
            raise NotFound("hold", hold_id)
        self._check(user, hold.scope)
        if hold.status is not HoldStatus.LIFTING and not self._stores.holds.advance(hold, HoldStatus.LIFTING, ""):
            raise Conflict(f"The hold '{hold_id}' is just being changed; ask again.")
        return self.carry_out(self._again(hold), _AT_ONCE)

    def all(self, user: User) -> Sequence[StandingHold]:
        """Return the holds that concern the user's workspace, the oldest first."""
        return self._stores.holds.of_workspace(user.workspace_id)

    def carry_out(self, hold: StandingHold, budget: timedelta) -> StandingHold:
        """Bring live executions in line with a hold that is being applied or lifted; return how far it has come."""
        until_s = self._monotonic() + budget.total_seconds()
        while hold.status in _UNFINISHED and self._monotonic() < until_s:
            keys = self._stores.executions.live(hold.workspace_id, hold.progress, _PAGE)
            for key in keys:
                self.reconcile(key.workspace_id, key.identifier)
            if not keys:
                return self._finish(hold)
            if not self._stores.holds.advance(hold, hold.status, keys[-1].identifier):
                return self._again(hold)  # somebody else goes on with it, or it is being lifted
            hold = self._again(hold)
        return hold

    def carry_out_unfinished(self, budget: timedelta) -> None:
        """Go on with all holds that are being applied or lifted; the sweep repeats this."""
        for hold in self._stores.holds.unfinished():
            self.carry_out(hold, budget)

    def reconcile(self, workspace_id: str, execution_id: str) -> None:
        """Give an execution the standing holds that are in force for it, and no others.

        The holds are read after the execution, and both again after each change: a hold that was placed or lifted
        meanwhile is seen by us, or the execution is seen by who placed or lifted it.
        """
        while True:
            execution = self._stores.executions.get(workspace_id, execution_id)
            if execution is None or execution.status.is_terminal or execution.status is ExecutionStatus.CANCELLING:
                return
            after = self.in_line(execution)
            if after is execution:
                return
            if self._stores.executions.change(execution, after):
                self._follow(execution, after)

    def in_line(self, execution: Execution) -> Execution:
        """Return the execution with the standing holds in force; itself if it has exactly those."""
        wanted = {hold.name: hold for hold in self._stores.holds.of_workspace(execution.workspace_id)
                  if hold.status is not HoldStatus.LIFTING and hold.concerns(execution, self._plans.of(execution))}
        after, now = execution, self._clock.now()
        for name, hold in wanted.items():
            if name not in execution.holds:
                after = executions.hold(after, name, now, clock=hold.clock, reason=hold.reason, by=hold.created_by)
        for name in execution.holds:
            if is_standing(name) and name not in wanted:
                after = executions.lift(after, name, now)
        return after

    def _follow(self, before: Execution, after: Execution) -> None:
        if set(before.holds) - set(after.holds):
            return self._holds.go_on(after)
        self._finisher.rest(after, urgent=True)
        self._holds.go_down(after)
        self._closing.settle(self._plans.of(after), after.workspace_id, after.execution_id)

    def _check(self, user: User, scope: HoldScope) -> None:
        if scope is HoldScope.SERVICE and not (user.is_admin and user.workspace_id == self._service_workspace):
            raise Forbidden(f"Only admins of the workspace '{self._service_workspace}' may hold the whole service.")

    def _is_known(self, user: User, template_id: str) -> bool:
        return self._templates.get(user.workspace_id, template_id) is not None

    def _finish(self, hold: StandingHold) -> StandingHold:
        if hold.status is HoldStatus.LIFTING:
            self._stores.holds.remove(hold)
            return replace(hold, status=HoldStatus.LIFTED)
        self._stores.holds.advance(hold, HoldStatus.APPLIED, "")
        return self._again(hold)

    def _again(self, hold: StandingHold) -> StandingHold:
        """Return the hold as it is now; as it was if it is gone."""
        found = self._stores.holds.of_workspace(hold.workspace_id or self._service_workspace)
        return next((one for one in found if one.hold_id == hold.hold_id), hold)


def _check_target(command: PlaceHold) -> None:
    if (command.target is not None) == (command.scope in (HoldScope.TEMPLATE, HoldScope.AGENT)):
        return
    message = "A template or an agent is held by its id, anything else without one."
    raise Invalid("The hold contradicts itself.", [Issue(path="target", code="contradiction", message=message)])


def _clock_of(command: PlaceHold) -> ClockRule:
    """Return whether deadlines stand still; those of executions of which only an agent is held go on."""
    if command.scope is not HoldScope.AGENT:
        return command.clock or ClockRule.STOP
    if command.clock is ClockRule.STOP:
        raise Invalid("The hold contradicts itself.", [Issue(
            path="clock", code="contradiction", allowed=(ClockRule.RUN.value,),
            message="While an agent is held the other blocks of its executions go on, and so do deadlines.")])
    return ClockRule.RUN
