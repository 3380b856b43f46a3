"""The standing hold: nothing that belongs to a template, an agent, a workspace, or to anybody, may start.

It is a document of its own, and stands in each execution that it concerns as one of that execution's holds, so that a
claim has to look at nothing but its execution. It is in force from the moment it is stored; it is *applied* once every
live execution that it concerns has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.execution import SERVICE_HOLD, TEMPLATE_HOLD, WORKSPACE_HOLD, Execution, agent_hold
from workflow_service.domain.plan import Plan


class HoldStatus(StrEnum):
    """How far a standing hold has come."""

    APPLYING = "applying"
    APPLIED = "applied"
    LIFTING = "lifting"
    LIFTED = "lifted"
    """It is gone; only told to who lifted it."""


@dataclass(frozen=True, kw_only=True)
class StandingHold:
    """A hold on everything within a scope."""

    hold_id: str
    scope: HoldScope
    target: str | None
    """The template or agent; None for the other scopes."""
    workspace_id: str | None
    """None for the whole service."""
    clock: ClockRule
    reason: str | None
    created_by: str
    created_at: datetime
    status: HoldStatus = HoldStatus.APPLYING
    progress: str = ""
    """The last execution, in order of ids, that was brought in line."""

    @property
    def key(self) -> str:
        """The same for all holds of one scope and target, of which there is one at a time."""
        return "/".join([self.workspace_id or "", self.scope.value, self.target or ""])

    @property
    def name(self) -> str:
        """Its name among the holds of an execution."""
        return _NAMES.get(self.scope) or agent_hold(str(self.target))

    def concerns(self, execution: Execution, plan: Plan) -> bool:
        """Say whether it holds an execution, or a part of it."""
        if self.workspace_id not in (None, execution.workspace_id):
            return False
        if self.scope is HoldScope.TEMPLATE:
            return self.target == execution.template_id
        if self.scope is HoldScope.AGENT:
            return any(node.block is not None and node.block.agent_id == self.target for node in plan.nodes.values())
        return True


_NAMES = {HoldScope.SERVICE: SERVICE_HOLD, HoldScope.WORKSPACE: WORKSPACE_HOLD, HoldScope.TEMPLATE: TEMPLATE_HOLD}
