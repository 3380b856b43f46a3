"""Executions: each transition makes one new version with its event; holds, time-outs and restarts are kept right."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import LATER, NOW, an_execution
from tests.support.graphs import repeatable
from workflow_service.domain import execution as executions
from workflow_service.domain.commands import CancelMode, ClockRule
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.execution import (
    OPERATOR_HOLD,
    PAUSING_HOLDS,
    RESTART_HOLD,
    SERVICE_HOLD,
    TEMPLATE_HOLD,
    WORKSPACE_HOLD,
    Execution,
    Slot,
    agent_hold,
    is_standing,
)
from workflow_service.domain.statuses import ExecutionStatus

S = ExecutionStatus
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RUNNING = replace(executions.start(an_execution(remaining=HOUR), NOW), outbox=())
ENDS = {status for status in S if status.is_terminal}
OPEN = (S.PENDING, S.RUNNING, S.WAITING, S.PAUSING, S.PAUSED)
OTHER = agent_hold("echo")
"""A hold under which the execution is not paused."""
STOP, RUN = ClockRule.STOP, ClockRule.RUN
Change = Callable[[Execution], Execution]

CHANGES: dict[str, tuple[Change, str, S, str, Iterable[S]]] = {
    "start": (lambda run: executions.start(run, LATER), "execution_started", S.RUNNING, "created",
              {S.PENDING, S.WAITING, S.PAUSING, S.PAUSED, *ENDS}),
    "rest": (lambda run: executions.rest(run, LATER), "execution_waiting", S.WAITING, "all_parked", {S.RUNNING}),
    "rise": (lambda run: executions.rise(run, LATER), "execution_resumed", S.RUNNING, "block_started",
             {S.PENDING, S.WAITING, S.PAUSING, S.PAUSED, *ENDS}),
    "hold": (lambda run: executions.hold(run, OPERATOR_HOLD, LATER, clock=STOP), "execution_pausing", S.PAUSING,
             OPERATOR_HOLD, {S.RUNNING, S.WAITING}),
    "paused": (lambda run: executions.paused(run, LATER), "execution_paused", S.PAUSED, "nothing_runs", {S.PAUSING}),
    "lift": (lambda run: executions.lift(run, OPERATOR_HOLD, LATER), "execution_resumed", S.RUNNING, OPERATOR_HOLD,
             {S.PAUSING, S.PAUSED}),
    "cancel": (lambda run: executions.cancel(run, LATER, None, "ada"), "execution_cancelling", S.CANCELLING, "ada",
               OPEN),
    "complete": (lambda run: executions.close(run, S.COMPLETED, None, LATER), "execution_completed", S.COMPLETED,
                 "all_blocks_ended", {S.RUNNING, S.WAITING, S.PAUSING, S.PAUSED, S.CANCELLING, S.COMPENSATING}),
    "fail": (lambda run: executions.close(run, S.FAILED, {"code": "busy"}, LATER), "execution_failed", S.FAILED,
             "all_blocks_ended", {S.RUNNING, S.WAITING, S.PAUSING, S.PAUSED, S.CANCELLING, S.COMPENSATING}),
    "restart": (lambda run: executions.begin_restart(run, {"a": 2}, HOUR, LATER), "execution_restarting", S.RUNNING,
                "restart", ENDS),
}
"""Each transition: its event, the status that it leads to, its cause, and where it may come from."""
RECORDS = {"hold": set(S) - {S.RUNNING, S.WAITING}, "lift": set(S) - {S.PAUSING, S.PAUSED}, "restart": set(S) - ENDS}
"""Where a change is recorded and leaves the status as it is."""
REPLAYED = set(executions.replayed(RUNNING))
TOLD: dict[str, dict[str, Any]] = {
    "hold": {"clock": "stop"}, "cancel": {"mode": "graceful"},
    "restart": {"blocks": ["a"], "templateVersion": "1.0.0"}}
"""What else the event of a change says."""


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("name", CHANGES)
def test_each_transition_is_legal_from_some_statuses_only(name: str, status: S) -> None:
    change, _, target, _, legal = CHANGES[name]
    run = replace(RUNNING, status=status)
    if status in legal:
        assert change(run).status is target
    elif status in RECORDS.get(name, ()):
        assert change(run).status is status
        assert change(run).version == run.version + 1
    else:
        with pytest.raises(IllegalTransition):
            change(run)


@pytest.mark.parametrize("name", CHANGES)
def test_each_transition_makes_a_version_with_its_event(name: str) -> None:
    change, event_type, target, cause, legal = CHANGES[name]
    before = replace(RUNNING, status=next(iter(legal)), version=7)
    after = change(before)
    (event,) = after.outbox
    assert (after.version, after.due_at) == (8, LATER)
    assert (event.type, event.source, event.version, event.at, event.block_id) == (event_type, "run", 8, LATER, None)
    assert event.payload == {"from": before.status.value, "cause": cause, "status": target.value,
                             "generation": after.generation, "holds": list(after.holds),
                             "holdNumber": after.hold_number, "error": after.error, **TOLD.get(name, {})}
    assert change(replace(before, outbox=(event,))).outbox[0] == event


def test_the_time_out_runs_from_the_start() -> None:
    assert (RUNNING.started_at, RUNNING.deadline) == (NOW, NOW + HOUR)
    assert executions.start(an_execution(), NOW).deadline is None


def test_the_time_out_stands_still_while_all_is_parked() -> None:
    waiting = executions.rest(RUNNING, NOW + MINUTE)
    assert (waiting.deadline, waiting.remaining) == (None, HOUR - MINUTE)
    risen = executions.rise(waiting, NOW + 10 * HOUR)
    assert risen.deadline == NOW + 10 * HOUR + HOUR - MINUTE
    assert executions.rest(risen, NOW + 10 * HOUR + MINUTE).remaining == HOUR - 2 * MINUTE


@pytest.mark.parametrize("after", [HOUR, HOUR + MINUTE])
def test_a_time_out_that_is_over_while_all_is_parked_is_not_forgotten(after: timedelta) -> None:
    risen = executions.rise(executions.rest(RUNNING, NOW + after), NOW + 2 * HOUR)
    assert risen.deadline is not None
    assert risen.deadline <= NOW + 2 * HOUR + timedelta(seconds=1)


def test_no_time_out_stays_none() -> None:
    run = executions.start(an_execution(), NOW)
    assert executions.rise(executions.rest(run, LATER), LATER).deadline is None


def test_the_time_out_goes_on_after_a_pause_while_all_was_parked() -> None:
    held = executions.hold(executions.rest(RUNNING, NOW + MINUTE), OPERATOR_HOLD, NOW + MINUTE, clock=STOP)
    lifted = executions.lift(executions.paused(held, NOW + MINUTE), OPERATOR_HOLD, NOW + 5 * HOUR)
    assert lifted.deadline == NOW + 5 * HOUR + HOUR - MINUTE


def test_the_time_out_stands_still_while_the_execution_is_paused() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, NOW + MINUTE, clock=STOP)
    assert (held.deadline, held.remaining) == (None, HOUR - MINUTE)
    again = executions.hold(executions.paused(held, NOW + HOUR), OPERATOR_HOLD, NOW + HOUR, clock=STOP)
    assert executions.lift(again, OPERATOR_HOLD, NOW + 5 * HOUR).deadline == NOW + 5 * HOUR + HOUR - MINUTE


def test_a_hold_that_lets_the_clock_run_does_not_stop_the_time_out() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, NOW + MINUTE, clock=RUN)
    assert (held.status, held.deadline, held.stopped_since) == (S.PAUSING, RUNNING.deadline, None)
    assert executions.lift(held, OPERATOR_HOLD, NOW + 2 * MINUTE).deadline == RUNNING.deadline
    assert executions.at_rest(executions.paused(held, LATER), LATER, MINUTE).due_at == RUNNING.deadline


def test_a_restarted_execution_has_a_time_out_of_its_own() -> None:
    ended = executions.close(RUNNING, S.FAILED, {"code": "busy"}, NOW + MINUTE)
    assert executions.begin_restart(ended, {"a": 2}, 2 * HOUR, NOW + 5 * HOUR).deadline == NOW + 7 * HOUR
    assert executions.begin_restart(RUNNING, {"a": 2}, 2 * HOUR, NOW + MINUTE).deadline == RUNNING.deadline


@pytest.mark.parametrize(("status", "holds", "may"), [
    (S.RUNNING, (), True), (S.WAITING, (), True), (S.RUNNING, (RESTART_HOLD,), False), (S.PENDING, (), False),
    *((status, (), False) for status in sorted(set(S) - {S.RUNNING, S.WAITING, S.PENDING}))])
def test_when_a_claimed_block_may_go_on(status: S, holds: tuple[str, ...], may: bool) -> None:
    assert an_execution(status=status, holds=holds).may_start_blocks == may


def test_each_hold_is_lifted_by_its_own_name_only() -> None:
    run = executions.hold(executions.hold(RUNNING, SERVICE_HOLD, NOW), OPERATOR_HOLD, NOW, clock=STOP)
    assert (run.holds, run.status, run.hold_number) == ((OPERATOR_HOLD, SERVICE_HOLD), S.PAUSING, 2)
    one_left = executions.lift(run, OPERATOR_HOLD, NOW)
    assert (one_left.holds, one_left.status, one_left.may_start_blocks) == ((SERVICE_HOLD,), S.PAUSING, False)
    assert one_left.outbox[-1].type == "execution_lifted"
    free = executions.lift(one_left, SERVICE_HOLD, NOW)
    assert (free.holds, free.hold_number, free.status, free.may_start_blocks) == ((), 4, S.RUNNING, True)
    assert free.outbox[-1].type == "execution_resumed"


def test_a_hold_is_there_once_and_grows_the_hold_number_each_time() -> None:
    held = executions.hold(executions.hold(RUNNING, OTHER, NOW), OTHER, NOW)
    assert (held.holds, held.hold_number, held.status) == ((OTHER,), 2, S.RUNNING)
    assert [event.type for event in held.outbox] == ["execution_held"] * 2
    assert executions.lift(RUNNING, OTHER, NOW).hold_number == 1


@pytest.mark.parametrize("name", [OPERATOR_HOLD, SERVICE_HOLD, WORKSPACE_HOLD, TEMPLATE_HOLD])
def test_the_holds_that_pause(name: str) -> None:
    assert name in PAUSING_HOLDS
    held = executions.hold(RUNNING, name, LATER)
    assert (held.status, held.is_held, held.may_start("echo")) == (S.PAUSING, True, False)
    assert is_standing(name) == (name != OPERATOR_HOLD)


def test_the_hold_of_a_restart_keeps_all_blocks_and_does_not_show() -> None:
    held = executions.hold(RUNNING, RESTART_HOLD, LATER)
    assert (held.status, held.is_held, held.may_start_blocks) == (S.RUNNING, True, False)
    assert not is_standing(RESTART_HOLD)


@pytest.mark.parametrize("status", [S.RUNNING, S.WAITING])
def test_the_hold_of_an_agent_keeps_its_blocks_alone(status: S) -> None:
    held = executions.hold(replace(RUNNING, status=status), OTHER, LATER)
    assert (held.status, held.is_held, held.may_start_blocks) == (status, False, True)
    assert (held.may_start("echo"), held.may_start("other"), held.may_start(None)) == (False, True, True)
    assert is_standing(OTHER)
    free = executions.lift(held, OTHER, LATER)
    assert (free.may_start("echo"), free.status) == (True, status)


@pytest.mark.parametrize("status", sorted(set(S) - {S.RUNNING, S.WAITING}))
def test_a_hold_on_what_does_not_run_is_only_recorded(status: S) -> None:
    held = executions.hold(replace(RUNNING, status=status), OPERATOR_HOLD, LATER)
    assert (held.status, held.holds, held.hold_number) == (status, (OPERATOR_HOLD,), 1)
    assert (held.outbox[-1].type, held.outbox[-1].payload["cause"]) == ("execution_held", OPERATOR_HOLD)


def test_a_hold_says_who_wanted_it_and_why() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, LATER, clock=STOP, reason="audit", by="olga")
    assert held.reason == "audit"
    told = {name: held.outbox[-1].payload[name] for name in ("cause", "by", "clock", "reason")}
    assert told == {"cause": OPERATOR_HOLD, "by": "olga", "clock": "stop", "reason": "audit"}
    assert executions.hold(held, SERVICE_HOLD, LATER).reason == "audit"
    assert executions.hold(held, SERVICE_HOLD, LATER, reason="upgrade").reason == "audit"
    upgraded = executions.hold(RUNNING, SERVICE_HOLD, LATER, reason="upgrade")
    assert (upgraded.reason, upgraded.outbox[-1].payload["reason"]) == (None, "upgrade")


def test_the_reason_of_a_pause_goes_with_the_last_hold_that_paused() -> None:
    held = executions.hold(executions.hold(RUNNING, OPERATOR_HOLD, NOW, reason="audit"), SERVICE_HOLD, NOW)
    one_left = executions.lift(held, SERVICE_HOLD, LATER, by="olga")
    assert (one_left.reason, one_left.outbox[-1].payload["by"]) == ("audit", "olga")
    assert executions.lift(one_left, OPERATOR_HOLD, LATER).reason is None


def test_an_execution_that_is_held_when_it_starts_is_pausing_at_once() -> None:
    held = executions.hold(an_execution(remaining=HOUR), WORKSPACE_HOLD, NOW, clock=RUN)
    started = executions.start(held, NOW)
    assert (started.status, started.started_at, started.may_start_blocks) == (S.PAUSING, NOW, False)
    assert [event.type for event in started.outbox] == ["execution_held", "execution_started", "execution_pausing"]
    assert (started.version, started.deadline) == (3, NOW + HOUR)
    assert executions.lift(started, WORKSPACE_HOLD, LATER).status is S.RUNNING


def test_the_time_out_of_an_execution_that_is_held_when_it_starts_goes_from_the_lift() -> None:
    started = executions.start(executions.hold(an_execution(remaining=HOUR), WORKSPACE_HOLD, NOW, clock=STOP), LATER)
    assert (started.status, started.deadline, started.remaining) == (S.PAUSING, None, HOUR)
    lifted = executions.lift(started, WORKSPACE_HOLD, NOW + 5 * HOUR)
    assert (lifted.status, lifted.deadline, lifted.stopped_for) == (S.RUNNING, NOW + 6 * HOUR, 5 * HOUR)


def test_an_execution_whose_agent_is_held_when_it_starts_runs() -> None:
    started = executions.start(executions.hold(an_execution(), OTHER, NOW), LATER)
    assert (started.status, started.holds, started.may_start("echo")) == (S.RUNNING, (OTHER,), False)


def test_how_long_deadlines_stood_still_is_counted_over_all_holds() -> None:
    run = RUNNING
    for number in (1, 2):
        at = NOW + number * 10 * MINUTE
        run = executions.hold(run, OPERATOR_HOLD, at, clock=STOP)
        assert (run.clock_stopped_by, run.stopped_since) == ((OPERATOR_HOLD,), at)
        run = executions.lift(run, OPERATOR_HOLD, at + number * MINUTE)
        assert (run.clock_stopped_by, run.stopped_since) == ((), None)
    assert run.stopped_for == 3 * MINUTE
    assert run.deadline == NOW + HOUR + 3 * MINUTE


@pytest.mark.parametrize("first", [OPERATOR_HOLD, SERVICE_HOLD, WORKSPACE_HOLD])
@pytest.mark.parametrize("last", [OPERATOR_HOLD, SERVICE_HOLD, WORKSPACE_HOLD])
def test_deadlines_stand_still_from_the_first_of_several_holds_to_the_last(first: str, last: str) -> None:
    if first == last:
        return
    run = executions.hold(RUNNING, first, NOW + MINUTE, clock=STOP)
    run = executions.hold(run, last, NOW + 2 * MINUTE, clock=STOP)
    assert (run.stopped_since, run.deadline, run.remaining) == (NOW + MINUTE, None, HOUR - MINUTE)
    run = executions.lift(run, first, NOW + 3 * MINUTE)
    assert (run.clock_stopped_by, run.stopped_since, run.deadline) == ((last,), NOW + MINUTE, None)
    run = executions.lift(run, last, NOW + 5 * MINUTE)
    assert (run.stopped_for, run.status) == (4 * MINUTE, S.RUNNING)
    assert run.deadline == NOW + HOUR + 4 * MINUTE


@pytest.mark.parametrize("order", [(OPERATOR_HOLD, SERVICE_HOLD), (SERVICE_HOLD, OPERATOR_HOLD)])
def test_of_two_holds_only_the_one_that_stops_the_clock_counts(order: tuple[str, str]) -> None:
    """The operator's stops it from minute 1 to 4 or 3; the service's lets it run."""
    run = executions.hold(RUNNING, OPERATOR_HOLD, NOW + MINUTE, clock=STOP)
    run = executions.hold(run, SERVICE_HOLD, NOW + 2 * MINUTE, clock=RUN)
    assert run.clock_stopped_by == (OPERATOR_HOLD,)
    for name, at in zip(order, (3, 4), strict=True):
        run = executions.lift(run, name, NOW + at * MINUTE)
    stopped = (3 if order[0] == OPERATOR_HOLD else 4) * MINUTE - MINUTE
    assert (run.status, run.stopped_for, run.deadline) == (S.RUNNING, stopped, NOW + HOUR + 3 * MINUTE)


def test_a_time_out_that_stands_still_goes_on_with_the_execution_and_not_before() -> None:
    run = executions.hold(executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP), SERVICE_HOLD, NOW, clock=RUN)
    left = executions.lift(executions.paused(run, NOW), OPERATOR_HOLD, NOW + MINUTE)
    assert (left.status, left.stopped_since, left.stopped_for, left.deadline) == (S.PAUSED, None, MINUTE, None)
    assert executions.lift(left, SERVICE_HOLD, NOW + 10 * MINUTE).deadline == NOW + 10 * MINUTE + HOUR


def test_a_hold_repeated_goes_on_standing_still_since_the_first_time() -> None:
    run = executions.hold(executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP), OPERATOR_HOLD, LATER, clock=STOP)
    assert (run.stopped_since, run.clock_stopped_by) == (NOW, (OPERATOR_HOLD,))


def test_the_hold_of_an_agent_lets_the_clock_run() -> None:
    held = executions.hold(RUNNING, OTHER, NOW + MINUTE)
    assert (held.status, held.deadline, held.stopped_since) == (S.RUNNING, RUNNING.deadline, None)
    lifted = executions.lift(held, OTHER, NOW + 3 * MINUTE)
    assert (lifted.deadline, lifted.stopped_for) == (RUNNING.deadline, timedelta(0))


def test_the_time_out_of_what_waits_goes_on_with_no_lift_of_an_agent() -> None:
    waiting = executions.rest(executions.hold(RUNNING, OTHER, NOW), NOW + 2 * MINUTE)
    lifted = executions.lift(waiting, OTHER, NOW + 3 * MINUTE)
    assert (lifted.status, lifted.deadline) == (S.WAITING, None)


def test_a_lift_by_a_name_that_does_not_hold_changes_no_clock() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP)
    other = executions.lift(held, SERVICE_HOLD, LATER)
    assert (other.stopped_since, other.clock_stopped_by, other.stopped_for) == (NOW, (OPERATOR_HOLD,), timedelta(0))


def test_a_lift_by_a_clock_that_went_back_takes_no_time_away() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, LATER, clock=STOP)
    assert executions.lift(held, OPERATOR_HOLD, NOW).stopped_for == timedelta(0)


def test_a_cancel_ends_the_time_out_and_says_why() -> None:
    error = {"code": "execution_timed_out", "message": "Too long."}
    stopped = executions.cancel(RUNNING, LATER, error, "timed_out")
    assert (stopped.generation, stopped.deadline, stopped.error) == (2, None, error)
    assert (stopped.cancel_mode, stopped.reason) == (CancelMode.GRACEFUL, None)


@pytest.mark.parametrize("mode", CancelMode)
def test_a_cancel_says_how_and_why(mode: CancelMode) -> None:
    stopped = executions.cancel(RUNNING, LATER, None, "olga", mode=mode, reason="wrong file")
    assert (stopped.cancel_mode, stopped.reason) == (mode, "wrong file")
    told = {name: stopped.outbox[-1].payload[name] for name in ("cause", "mode", "reason")}
    assert told == {"cause": "olga", "mode": mode.value, "reason": "wrong file"}


def test_a_cancel_forgets_why_it_was_paused() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, NOW, reason="audit")
    assert executions.cancel(held, LATER, None, "olga").reason is None


@pytest.mark.parametrize(("reason", "kept"), [(None, "wrong file"), ("it hangs", "it hangs")])
def test_a_cancel_may_be_forced_later(reason: str | None, kept: str) -> None:
    stopped = executions.cancel(RUNNING, NOW, None, "olga", reason="wrong file")
    forced = executions.force(stopped, LATER, reason, "ada")
    assert (forced.status, forced.cancel_mode, forced.reason) == (S.CANCELLING, CancelMode.FORCE, kept)
    assert (forced.version, forced.generation, forced.due_at) == (stopped.version + 1, stopped.generation, LATER)
    assert (forced.outbox[-1].type, forced.outbox[-1].payload["cause"]) == ("execution_cancel_forced", "ada")


def test_a_cancel_gives_up_a_restart_and_its_hold_alone() -> None:
    begun = executions.begin_restart(executions.hold(RUNNING, "service", NOW), {"a": 2}, HOUR, NOW,
                                     supplied={"a": {"output": {}}})
    stopped = executions.cancel(begun, LATER, None, "ada")
    assert (stopped.restart_targets, stopped.restart_supplied, stopped.holds) == (None, None, ("service",))


def test_a_close_takes_holds_slots_and_deadline_away() -> None:
    run = replace(executions.hold(RUNNING, "service", NOW), slots=(Slot(block_id="a", fence=1),), slot_queue=("b",))
    closed = executions.close(run, S.FAILED, {"code": "busy"}, LATER)
    assert (closed.holds, closed.slots, closed.slot_queue) == ((), (), ())
    assert (closed.deadline, closed.completed_at) == (None, LATER)
    assert closed.error == {"code": "busy"}


def test_a_close_ends_the_standing_still_of_deadlines() -> None:
    closed = executions.close(executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP), S.FAILED, None, LATER)
    assert (closed.clock_stopped_by, closed.stopped_since, closed.deadline) == ((), None, None)


@pytest.mark.parametrize("status", [S.FAILED, S.RUNNING])
def test_a_restart_holds_the_execution_until_it_is_done(status: S) -> None:
    run = replace(RUNNING, status=status, completed_at=NOW, error={"code": "busy"}, holds=("service",))
    begun = executions.begin_restart(run, {"a": 2, "b": 3}, HOUR, LATER)
    assert (begun.restart_targets, begun.holds) == ({"a": 2, "b": 3}, (RESTART_HOLD, "service"))
    assert (begun.generation, begun.hold_number, begun.completed_at, begun.error) == (2, 1, None, None)
    assert not begun.may_start_blocks
    done = executions.end_restart(begun, LATER)
    assert (done.restart_targets, done.holds, done.generation, done.hold_number) == (None, ("service",), 3, 2)
    assert (done.status, done.version) == (S.RUNNING, begun.version + 1)


def test_a_restart_keeps_what_is_supplied_until_it_is_done() -> None:
    supplied = {"a": {"output": {"v": 1}, "chosen": None, "by": "olga"}}
    failed = executions.close(RUNNING, S.FAILED, {"code": "busy"}, NOW)
    begun = executions.begin_restart(failed, {"a": 2}, HOUR, LATER, supplied=supplied, by="olga")
    assert begun.restart_supplied == supplied
    assert begun.outbox[-1].payload["by"] == "olga"
    assert executions.end_restart(begun, LATER).restart_supplied is None


def test_a_restart_tells_with_which_definition() -> None:
    newer = replace(executions.close(RUNNING, S.FAILED, None, NOW), template_version="1.0.1")
    begun = executions.begin_restart(newer, {"a": 2, "z": 1}, HOUR, LATER)
    assert begun.template_version == "1.0.1"
    assert begun.outbox[-1].payload["templateVersion"] == "1.0.1"
    assert begun.outbox[-1].payload["blocks"] == ["a", "z"]


def test_a_restart_tells_which_definition_it_had() -> None:
    failed = executions.close(RUNNING, S.FAILED, None, NOW)
    begun = executions.begin_restart(replace(failed, template_version="1.0.1"), {"a": 2}, HOUR, LATER,
                                     from_version="1.0.0")
    assert begun.outbox[-1].payload["fromVersion"] == "1.0.0"


def test_a_cancel_remembers_what_the_restart_that_it_gives_up_was_about_to_reset() -> None:
    begun = executions.begin_restart(RUNNING, {"a": 2, "b": 3}, HOUR, NOW)
    assert executions.cancel(begun, LATER, None, "ada").revoked == ("a", "b")
    assert executions.cancel(RUNNING, LATER, None, "ada").revoked == ()


@pytest.mark.parametrize(("held", "due_at"), [
    (executions.hold(replace(RUNNING, deadline=None), SERVICE_HOLD, NOW), LATER + 16 * MINUTE),
    (executions.hold(RUNNING, SERVICE_HOLD, NOW), LATER + 16 * MINUTE),
    (replace(executions.hold(RUNNING, SERVICE_HOLD, NOW), deadline=LATER + MINUTE), LATER + MINUTE),
    (executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP), None)])
def test_the_sweep_looks_now_and_then_at_what_a_standing_hold_keeps(held: Execution, due_at: object) -> None:
    assert executions.at_rest(executions.paused(held, LATER), LATER, MINUTE).due_at == due_at


def test_a_restart_of_what_was_cancelled_forgets_how_and_why() -> None:
    stopped = executions.cancel(RUNNING, NOW, None, "olga", mode=CancelMode.FORCE, reason="wrong file")
    begun = executions.begin_restart(executions.close(stopped, S.CANCELLED, None, NOW), {"a": 2}, HOUR, LATER)
    assert (begun.cancel_mode, begun.reason) == (CancelMode.GRACEFUL, None)


def test_a_restart_under_a_pause_goes_on_being_paused_and_keeps_the_reason() -> None:
    held = executions.paused(executions.hold(RUNNING, OPERATOR_HOLD, NOW, clock=STOP, reason="audit"), NOW)
    done = executions.end_restart(executions.begin_restart(held, {"a": 2}, HOUR, LATER), LATER)
    assert (done.status, done.holds, done.reason, done.deadline) == (S.PAUSED, (OPERATOR_HOLD,), "audit", None)
    assert executions.lift(done, OPERATOR_HOLD, LATER).status is S.RUNNING


@pytest.mark.parametrize(("run", "due_at"), [
    (an_execution(status=S.PENDING), LATER + MINUTE), (replace(RUNNING, status=S.PAUSING), LATER + MINUTE),
    (replace(RUNNING, status=S.CANCELLING), LATER + MINUTE),
    (replace(executions.rest(RUNNING, LATER), restart_targets={"a": 2}), LATER + MINUTE),
    (RUNNING, LATER + MINUTE), (replace(RUNNING, deadline=None), LATER + MINUTE),
    (replace(RUNNING, deadline=LATER), LATER), (executions.rest(RUNNING, LATER), None),
    (replace(RUNNING, status=S.PAUSED, deadline=None), None), (replace(RUNNING, status=S.PAUSED), RUNNING.deadline),
    (executions.cancel(RUNNING, LATER, None, "ada", mode=CancelMode.FORCE), LATER + MINUTE),
    (executions.close(RUNNING, S.COMPLETED, None, LATER), None)])
def test_the_sweep_looks_again_when_there_is_a_reason(run: Execution, due_at: object) -> None:
    rested = executions.at_rest(run, LATER, MINUTE)
    assert (rested.due_at, rested.version) == (due_at, run.version)


@repeatable
@given(st.lists(st.sampled_from([*CHANGES, "end_restart", "hold service", "lift service", "hold agent", "lift agent"]),
                max_size=30))
def test_any_way_through_the_transitions(names: list[str]) -> None:
    more: dict[str, Change] = {
        "end_restart": lambda run: executions.end_restart(run, LATER),
        "hold agent": lambda run: executions.hold(run, OTHER, LATER),
        "lift agent": lambda run: executions.lift(run, OTHER, LATER),
        "hold service": lambda run: executions.hold(run, "service", LATER),
        "lift service": lambda run: executions.lift(run, "service", LATER)}
    run = an_execution(remaining=HOUR)
    for name in names:
        before = run
        try:
            run = more[name](run) if name in more else CHANGES[name][0](run)
        except IllegalTransition:
            assert run == before
            continue
        assert run.version - before.version == len(run.outbox) - len(before.outbox) > 0
        assert run.generation >= before.generation
        assert run.hold_number >= before.hold_number
        assert run.due_at == LATER
        assert (run.stopped_since is None) == (not run.clock_stopped_by)
        assert run.stopped_since is None or run.deadline is None
        assert run.stopped_for >= before.stopped_for
        assert set(run.clock_stopped_by) <= set(run.holds)
    assert _replay(run) == (run.version, executions.replayed(run) if run.outbox else {})


def _replay(run: Execution) -> tuple[int, dict[str, Any]]:
    """Return what the events of an execution give of it."""
    events = run.outbox
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert all(other.payload["from"] == one.payload["status"] for one, other in pairwise(events))
    known = {key: value for event in events for key, value in event.payload.items()}
    return len(events), {key: value for key, value in known.items() if key in REPLAYED}


def test_what_is_to_be_withdrawn_is_listed_once_and_for_its_first_reason() -> None:
    late = executions.withdraw(RUNNING, ["b", "a"], "late", LATER)
    assert (late.withdrawing, late.outbox[-1].payload["blocks"]) == ({"b": "late", "a": "late"}, ["b", "a"])
    both = executions.withdraw(late, ["a", "c"], "cancelled", LATER, by="ada", reason="no need")
    assert both.withdrawing == {"a": "late", "b": "late", "c": "cancelled"}
    told = both.outbox[-1].payload
    assert (told["blocks"], told["cause"], told["by"], told["reason"]) == (["c"], "cancelled", "ada", "no need")
    assert executions.withdrawn(both, ["a", "c"], LATER).withdrawing == {"b": "late"}


@pytest.mark.parametrize("status", [S.RUNNING, S.WAITING, S.PAUSED])
def test_the_sweep_looks_at_an_execution_until_all_is_withdrawn(status: S) -> None:
    listed = executions.withdraw(replace(RUNNING, status=status), ["a"], "late", LATER)
    assert executions.needs_sweep(listed)
    assert executions.at_rest(listed, LATER, MINUTE).due_at == LATER + MINUTE
    assert not executions.needs_sweep(executions.withdrawn(listed, ["a"], LATER))


def test_what_a_restart_resets_is_not_withdrawn_any_more() -> None:
    listed = executions.withdraw(RUNNING, ["a", "b"], "cancelled", NOW)
    assert executions.begin_restart(listed, {"a": 2}, HOUR, LATER).withdrawing == {"b": "cancelled"}
    assert executions.cancel(listed, LATER, None, "ada").withdrawing == {}
    assert executions.close(listed, S.COMPLETED, None, LATER).withdrawing == {}


def test_who_cancels_an_execution_that_an_end_block_had_ended_before_its_restart_ends_it_otherwise() -> None:
    ended = executions.cancel(RUNNING, NOW, None, "ended_by:e", ended_by="e:1")
    assert ended.ended_by == "e:1"
    restarted = executions.begin_restart(executions.close(ended, S.COMPLETED, None, NOW), {"a": 2}, HOUR, LATER)
    assert restarted.ended_by == "e:1"
    assert executions.cancel(restarted, LATER, None, "ada").ended_by is None
