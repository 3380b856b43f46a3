"""Standing holds: what each concerns, its key, and its name among the holds of an execution."""

import pytest

from tests.support.builders import NOW, a_block, a_plan, an_execution
from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.execution import PAUSING_HOLDS, agent_hold, is_standing
from workflow_service.domain.standing_hold import HoldStatus, StandingHold

PLAN = a_plan(*(a_block(f"b{number}") for number in range(65)), a_block("other", agent_id="other"),
              a_block("end", *(f"b{number}" for number in range(65))))
"""With joins of the compiler, which have no agent."""


def a_hold(scope: HoldScope, target: str | None = None, workspace_id: str | None = "acme") -> StandingHold:
    """Return a hold."""
    return StandingHold(hold_id="h", scope=scope, target=target, workspace_id=workspace_id, clock=ClockRule.STOP,
                        reason=None, created_by="olga", created_at=NOW)


@pytest.mark.parametrize(("hold", "concerns"), [
    (a_hold(HoldScope.SERVICE, workspace_id=None), True), (a_hold(HoldScope.WORKSPACE), True),
    (a_hold(HoldScope.WORKSPACE, workspace_id="other"), False),
    (a_hold(HoldScope.TEMPLATE, "t"), True), (a_hold(HoldScope.TEMPLATE, "u"), False),
    (a_hold(HoldScope.TEMPLATE, "t", workspace_id="other"), False),
    (a_hold(HoldScope.AGENT, "echo"), True), (a_hold(HoldScope.AGENT, "other"), True),
    (a_hold(HoldScope.AGENT, "nobody"), False), (a_hold(HoldScope.AGENT, "echo", workspace_id="other"), False)])
def test_what_a_hold_concerns(hold: StandingHold, concerns: bool) -> None:
    assert hold.concerns(an_execution(), PLAN) == concerns


@pytest.mark.parametrize(("hold", "key", "name"), [
    (a_hold(HoldScope.SERVICE, workspace_id=None), "/service/", "service"),
    (a_hold(HoldScope.WORKSPACE), "acme/workspace/", "workspace"),
    (a_hold(HoldScope.TEMPLATE, "t"), "acme/template/t", "template"),
    (a_hold(HoldScope.AGENT, "echo"), "acme/agent/echo", "agent:echo")])
def test_the_key_and_the_name_of_a_hold(hold: StandingHold, key: str, name: str) -> None:
    assert (hold.key, hold.name) == (key, name)
    assert is_standing(hold.name)
    assert (hold.name in PAUSING_HOLDS) == (hold.scope is not HoldScope.AGENT)


def test_a_new_hold_is_being_applied_from_the_start() -> None:
    hold = a_hold(HoldScope.WORKSPACE)
    assert (hold.status, hold.progress) == (HoldStatus.APPLYING, "")


def test_agents_have_holds_of_their_own() -> None:
    assert agent_hold("echo") != agent_hold("other")
    assert a_hold(HoldScope.AGENT, "echo").key != a_hold(HoldScope.AGENT, "other").key
