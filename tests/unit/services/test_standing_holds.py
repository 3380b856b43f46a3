"""Standing holds, as an operator sees them: on the service, a workspace, a template, an agent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.services.lives import ACCEPTED, BROKEN, HOUR, MINUTE, OPERATOR, ROOT, STRANGER, Life, S, block, gate
from workflow_service.domain import execution as executions
from workflow_service.domain.commands import CancelExecution, ClockRule, HoldScope, PlaceHold, RestartExecution
from workflow_service.domain.errors import AlreadyExists, Forbidden, Invalid, NotFound
from workflow_service.domain.standing_hold import HoldStatus, StandingHold
from workflow_service.domain.users import User

SERVICE = PlaceHold(scope=HoldScope.SERVICE)
WORKSPACE = PlaceHold(scope=HoldScope.WORKSPACE)
TEMPLATE = PlaceHold(scope=HoldScope.TEMPLATE, target="t")
AGENT = PlaceHold(scope=HoldScope.AGENT, target="echo")
PAUSING = [(ROOT, SERVICE, "service"), (OPERATOR, WORKSPACE, "workspace"), (OPERATOR, TEMPLATE, "template")]
"""Who may place each hold that pauses, and its name in an execution."""
ALL = [*PAUSING, (OPERATOR, AGENT, "agent:echo")]


def placed(life: Life, user: User = OPERATOR, command: PlaceHold = WORKSPACE) -> StandingHold:
    """Place a hold."""
    return life.engine.standing_holds.place(user, command)


def lifted(life: Life, hold: StandingHold, user: User = OPERATOR) -> StandingHold:
    """Lift a hold."""
    return life.engine.standing_holds.lift(user, hold.hold_id)


@pytest.mark.parametrize(("user", "command", "name"), PAUSING)
def test_what_runs_is_paused_and_goes_on_after_the_lift(user: User, command: PlaceHold, name: str) -> None:
    life = Life(block("a"), block("b", "a"))
    run = life.start()
    hold = placed(life, user, command)
    assert (hold.status, hold.name) == (HoldStatus.APPLIED, name)
    assert (life.of(run).status, life.of(run).holds) == (S.PAUSED, (name,))
    life.pass_time(HOUR)
    assert life.agents.called("a") == 0
    assert lifted(life, hold, user).status is HoldStatus.LIFTED
    assert not life.engine.standing_holds.all(user)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("user", "command", "name"), PAUSING)
def test_what_is_started_later_is_held_from_the_start(user: User, command: PlaceHold, name: str) -> None:
    life = Life(block("a"))
    hold = placed(life, user, command)
    run = life.start()
    assert (life.of(run).status, life.of(run).holds) == (S.PAUSED, (name,))
    life.pass_time(HOUR)
    assert life.agents.called("a") == 0
    lifted(life, hold, user)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("user", "command", "name"), ALL)
def test_what_had_ended_and_is_restarted_under_it_is_held(user: User, command: PlaceHold, name: str) -> None:
    life = Life(block("a"))
    life.agents.plan("a", BROKEN)
    run = life.start()
    life.ends(run, S.FAILED)
    hold = placed(life, user, command)
    assert life.of(run).holds == ()
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run))
    assert life.of(run).holds == (name,)
    life.pass_time(HOUR)
    assert (life.agents.called("a"), life.statuses(run)) == (1, {"a": "ready"})
    lifted(life, hold, user)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("user", "command", "name"), PAUSING)
def test_what_waits_is_held_and_its_clock_as_well(user: User, command: PlaceHold, name: str) -> None:
    life = Life(gate("a"), block("b", "a"))
    run = life.start()
    life.work()
    overdue = life.request(run, "a").overdue_at
    hold = placed(life, user, command)
    life.pass_time(3 * HOUR)
    assert (life.of(run).clock_stopped_by, life.request(run, "a").escalation_level) == ((name,), 0)
    lifted(life, hold, user)
    assert life.request(run, "a").overdue_at == overdue + life.of(run).stopped_for
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("user", "command", "name"), ALL)
def test_a_hold_may_let_the_clock_run(user: User, command: PlaceHold, name: str) -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    hold = placed(life, user, PlaceHold(scope=command.scope, target=command.target, clock=ClockRule.RUN))
    life.pass_time(70 * MINUTE)
    assert (life.of(run).clock_stopped_by, life.of(run).holds) == ((), (name,))
    assert life.request(run, "a").escalation_level == 1
    lifted(life, hold, user)
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_a_hold_of_an_agent_lets_the_clock_run_if_nothing_is_said_and_cant_stop_it() -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    with pytest.raises(Invalid):
        placed(life, command=PlaceHold(scope=HoldScope.AGENT, target="echo", clock=ClockRule.STOP))
    assert (life.of(run).holds, life.engine.standing_holds.all(OPERATOR)) == ((), [])
    assert placed(life, command=AGENT).clock is ClockRule.RUN
    life.pass_time(70 * MINUTE)
    assert (life.of(run).clock_stopped_by, life.request(run, "a").escalation_level) == ((), 1)


def test_a_template_that_the_workspace_does_not_have_cant_be_held() -> None:
    life = Life(block("a"))
    for user, target in ((OPERATOR, "nobody"), (STRANGER, "t")):
        with pytest.raises(NotFound):
            placed(life, user, PlaceHold(scope=HoldScope.TEMPLATE, target=target))
        assert life.engine.standing_holds.all(user) == []
    assert placed(life, command=PlaceHold(scope=HoldScope.AGENT, target="nobody")).status is HoldStatus.APPLIED


def test_a_hold_of_a_template_leaves_others_alone() -> None:
    life = Life(block("a"))
    life.store("u", block("a"))
    placed(life, command=TEMPLATE)
    other = life.start("u")
    life.ends(other, S.COMPLETED)


def test_a_hold_of_a_workspace_leaves_others_alone() -> None:
    life = Life(block("a"))
    life.store("u", block("a"), workspace_id=STRANGER.workspace_id)
    run = life.start("u", STRANGER)
    placed(life)
    later = life.start("u", STRANGER)
    life.settle()
    for name in (run, later):
        assert life.run(STRANGER.workspace_id, name).status is S.COMPLETED
    assert not life.engine.standing_holds.all(STRANGER)


def test_a_hold_of_the_service_holds_every_workspace() -> None:
    life = Life(block("a"))
    life.store("u", block("a"), workspace_id=STRANGER.workspace_id)
    run, other = life.start(), life.start("u", STRANGER)
    hold = placed(life, ROOT, SERVICE)
    assert [life.of(run).status, life.run(STRANGER.workspace_id, other).status] == [S.PAUSED] * 2
    assert [one.hold_id for one in life.engine.standing_holds.all(STRANGER)] == [hold.hold_id]
    lifted(life, hold, ROOT)
    life.settle()
    assert [life.of(run).status, life.run(STRANGER.workspace_id, other).status] == [S.COMPLETED] * 2
    life.is_right()


@pytest.mark.parametrize("user", [OPERATOR, User(name="r", role="operator", workspace_id="default")])
def test_only_admins_of_the_service_workspace_may_hold_the_service(user: User) -> None:
    life = Life(block("a"))
    run = life.start()
    with pytest.raises(Forbidden):
        placed(life, user, SERVICE)
    assert (life.of(run).holds, life.engine.standing_holds.all(OPERATOR)) == ((), [])
    hold = placed(life, ROOT, SERVICE)
    with pytest.raises(Forbidden):
        lifted(life, hold, user)
    assert life.of(run).holds == ("service",)


def test_a_hold_of_another_workspace_cant_be_lifted() -> None:
    life = Life(block("a"))
    hold = placed(life)
    with pytest.raises(NotFound):
        lifted(life, hold, STRANGER)


def test_a_hold_of_an_agent_lets_the_blocks_of_others_run() -> None:
    life = Life(block("a"), block("b", "a", agentId="other"), block("x", agentId="other"), block("y", "x"))
    hold = placed(life, command=AGENT)
    run = life.start()
    life.pass_time(30 * MINUTE)
    assert life.statuses(run) == {"a": "ready", "b": "pending", "x": "completed", "y": "ready"}
    assert (life.of(run).status, life.of(run).holds) == (S.RUNNING, ("agent:echo",))
    lifted(life, hold)
    life.ends(run, S.COMPLETED)


def test_a_hold_of_an_agent_leaves_executions_without_it_alone() -> None:
    life = Life(block("a", agentId="other"))
    run = life.start()
    placed(life, command=AGENT)
    assert life.of(run).holds == ()
    life.ends(run, S.COMPLETED)


def test_a_hold_of_an_agent_comes_while_the_run_goes_on_in_place() -> None:
    life = Life(block("a", agentId="other"), block("b", "a"))
    life.agents.plan("a", lambda: {"v": placed(life, command=AGENT).name})
    run = life.start()
    life.work()
    life.settle()
    assert (life.statuses(run), life.agents.called("b")) == ({"a": "completed", "b": "ready"}, 0)
    lifted(life, life.engine.standing_holds.all(OPERATOR)[0])
    life.ends(run, S.COMPLETED)


def test_an_agent_that_took_the_work_goes_on_with_it_while_it_is_held() -> None:
    life = Life(block("a"), block("b", "a", agentId="other"))
    life.agents.plan("a", ACCEPTED)
    run = life.start()
    life.work()
    hold = placed(life, command=AGENT)
    life.agents.service.finish("echo", life.block(run, "a").key, {"v": 1})
    life.pass_time(10 * MINUTE)
    assert life.statuses(run)["b"] == "pending"
    lifted(life, hold)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_holds_each_keeps_it_until_it_is_lifted_itself(first: int) -> None:
    life = Life(gate("a"))
    run = life.start()
    life.work()
    overdue = life.request(run, "a").overdue_at
    holds = [placed(life), placed(life, command=TEMPLATE)]
    assert life.of(run).holds == ("template", "workspace")
    life.pass_time(2 * HOUR)
    lifted(life, holds[first])
    assert (life.of(run).status, len(life.of(run).holds)) == (S.PAUSED, 1)
    life.pass_time(2 * HOUR)
    lifted(life, holds[1 - first])
    assert (life.of(run).status, life.of(run).holds) == (S.WAITING, ())
    stopped = life.of(run).stopped_for
    assert 4 * HOUR <= stopped <= 4 * HOUR + timedelta(seconds=1)
    assert life.request(run, "a").overdue_at == overdue + stopped
    life.answer(run, "a")
    life.ends(run, S.COMPLETED)


def test_a_pause_and_a_hold_are_lifted_each_by_its_own() -> None:
    life = Life(block("a"))
    run = life.start()
    life.pause(run)
    lifted(life, placed(life))
    assert (life.of(run).status, life.of(run).holds) == (S.PAUSED, ("operator",))
    life.engine.holds.resume(OPERATOR, run)
    life.ends(run, S.COMPLETED)


@pytest.mark.parametrize(("user", "command", "name"), ALL)
def test_there_is_one_hold_for_a_scope_and_target_at_a_time(user: User, command: PlaceHold, name: str) -> None:
    life = Life(block("a"))
    hold = placed(life, user, command)
    with pytest.raises(AlreadyExists):
        placed(life, user, command)
    lifted(life, hold, user)
    again = placed(life, user, command)
    assert (again.hold_id != hold.hold_id, again.status) == (True, HoldStatus.APPLIED)


def test_holds_of_other_targets_stand_beside_each_other() -> None:
    life = Life(block("a"), block("b", agentId="other"))
    run = life.start()
    holds = [placed(life, command=AGENT), placed(life, command=PlaceHold(scope=HoldScope.AGENT, target="other")),
             placed(life, command=TEMPLATE)]
    assert life.of(run).holds == ("agent:echo", "agent:other", "template")
    assert [one.hold_id for one in life.engine.standing_holds.all(OPERATOR)] == [one.hold_id for one in holds]
    for hold in holds:
        lifted(life, hold)
    life.ends(run, S.COMPLETED)


def test_a_hold_that_nobody_carried_out_is_carried_out_by_the_sweep() -> None:
    life = Life(block("a"))
    run = life.start()
    now = life.clock.now()
    hold = StandingHold(hold_id="h", scope=HoldScope.WORKSPACE, target=None, workspace_id=OPERATOR.workspace_id,
                        clock=ClockRule.STOP, reason="audit", created_by="olga", created_at=now)
    assert life.holds.insert(hold)
    life.sweep()
    assert (life.of(run).holds, life.of(run).status) == (("workspace",), S.PAUSED)
    (found,) = life.engine.standing_holds.all(OPERATOR)
    assert found.status is HoldStatus.APPLIED
    assert life.holds.advance(found, HoldStatus.LIFTING, "")
    life.sweep()
    assert (life.of(run).holds, life.engine.standing_holds.all(OPERATOR)) == ((), [])
    life.ends(run, S.COMPLETED)


def test_more_executions_than_a_page_are_held() -> None:
    life = Life(gate("a"))
    runs = [life.start() for _ in range(130)]
    hold = placed(life)
    assert {life.of(run).holds for run in runs} == {("workspace",)}
    lifted(life, hold)
    assert {life.of(run).holds for run in runs} == {()}


def test_an_execution_that_was_started_while_its_hold_was_lifted_goes_on() -> None:
    life = Life(block("a"))
    hold = placed(life)
    (found,) = life.engine.standing_holds.all(OPERATOR)
    assert life.holds.advance(found, HoldStatus.LIFTING, "")
    run = life.start()
    assert life.of(run).holds == ()
    lifted(life, hold)
    life.ends(run, S.COMPLETED)


def test_what_is_held_can_be_cancelled() -> None:
    life = Life(gate("a"), block("b", "a"))
    run = life.start()
    life.work()
    hold = placed(life)
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))
    life.ends(run, S.CANCELLED)
    lifted(life, hold)
    life.ends(run, S.CANCELLED)


def test_who_starts_and_dies_leaves_an_execution_that_the_sweep_opens_held() -> None:
    life = Life(block("a"))
    placed(life)
    now = life.clock.now()
    life.executions.insert(executions.Execution(
        workspace_id=OPERATOR.workspace_id, execution_id="x", template_id="t", template_version="1.0.0",
        created_by="olga", created_at=now, due_at=now))
    life.sweep()
    life.settle()
    assert (life.of("x").status, life.of("x").holds, life.agents.called("a")) == (S.PAUSED, ("workspace",), 0)
    lifted(life, life.engine.standing_holds.all(OPERATOR)[0])
    life.ends("x", S.COMPLETED)


def test_lifting_twice() -> None:
    life = Life(block("a"))
    hold = placed(life)
    lifted(life, hold)
    with pytest.raises(NotFound):
        lifted(life, hold)


def test_nothing_about_holds_changes_for_what_has_ended() -> None:
    life = Life(block("a"))
    run = life.start()
    life.ends(run, S.COMPLETED)
    before = life.of(run)
    lifted(life, placed(life))
    life.settle()
    assert life.of(run) == before


def test_the_reason_of_an_agents_hold_goes_with_it() -> None:
    life = Life(block("a"))
    run = life.start()
    lifted(life, placed(life, command=PlaceHold(scope=HoldScope.AGENT, target="echo", reason="it lies")))
    assert life.of(run).reason is None


def test_of_two_holds_the_reason_of_the_one_that_is_left_is_shown() -> None:
    life = Life(gate("a"))
    run = life.start()
    life.pause(run, reason="audit")
    lifted(life, placed(life, command=PlaceHold(scope=HoldScope.WORKSPACE, reason="upgrade")))
    assert life.of(run).reason == "audit"


def test_the_time_out_of_what_waits_stands_still_whatever_is_held_and_lifted() -> None:
    life = Life(gate("a"), globalSettings={"timeout": 3_600_000})
    run = life.start()
    life.work()
    assert (life.of(run).status, life.of(run).deadline) == (S.WAITING, None)
    life.pause(run, clock=ClockRule.STOP)
    placed(life, command=PlaceHold(scope=HoldScope.WORKSPACE, clock=ClockRule.RUN))
    life.engine.holds.resume(OPERATOR, run)
    assert (life.of(run).status, life.of(run).deadline) == (S.PAUSED, None)


def test_a_hold_of_an_agent_keeps_no_slot_from_the_blocks_of_others() -> None:
    life = Life(block("a", agentId="other"), block("h"), block("x", agentId="other"),
                globalSettings={"maxParallelBlocks": 1})
    hold = placed(life, command=AGENT)
    run = life.start()
    life.work()
    assert life.statuses(run) == {"a": "completed", "h": "ready", "x": "completed"}
    lifted(life, hold)
    life.ends(run, S.COMPLETED)
