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
from workflow_service.domain.errors import IllegalTransition
from workflow_service.domain.execution import OPERATOR_HOLD, RESTART_HOLD, Execution, Slot
from workflow_service.domain.statuses import ExecutionStatus

S = ExecutionStatus
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RUNNING = replace(executions.start(an_execution(remaining=HOUR), NOW), outbox=())
ENDS = {status for status in S if status.is_terminal}
OPEN = (S.PENDING, S.RUNNING, S.WAITING, S.PAUSING, S.PAUSED)
Change = Callable[[Execution], Execution]

CHANGES: dict[str, tuple[Change, str, S, str, Iterable[S]]] = {
    "start": (lambda run: executions.start(run, LATER), "execution_started", S.RUNNING, "created",
              {S.PENDING, S.WAITING, S.PAUSING, S.PAUSED, *ENDS}),
    "rest": (lambda run: executions.rest(run, LATER), "execution_waiting", S.WAITING, "all_parked", {S.RUNNING}),
    "rise": (lambda run: executions.rise(run, LATER), "execution_resumed", S.RUNNING, "block_started",
             {S.PENDING, S.WAITING, S.PAUSING, S.PAUSED, *ENDS}),
    "hold": (lambda run: executions.hold(run, OPERATOR_HOLD, LATER), "execution_pausing", S.PAUSING, OPERATOR_HOLD,
             {S.RUNNING, S.WAITING}),
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
RECORDS = {"hold": {S.PAUSING, S.PAUSED}, "lift": set(S) - {S.PAUSING, S.PAUSED}, "restart": set(S) - ENDS}
"""Where a change is recorded and leaves the status as it is."""


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
                             "holdNumber": after.hold_number, "error": after.error}
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
    held = executions.hold(executions.rest(RUNNING, NOW + MINUTE), OPERATOR_HOLD, NOW + MINUTE)
    lifted = executions.lift(executions.paused(held, NOW + MINUTE), OPERATOR_HOLD, NOW + 5 * HOUR)
    assert lifted.deadline == NOW + 5 * HOUR + HOUR - MINUTE


def test_the_time_out_stands_still_while_the_execution_is_paused() -> None:
    held = executions.hold(RUNNING, OPERATOR_HOLD, NOW + MINUTE)
    assert (held.deadline, held.remaining) == (None, HOUR - MINUTE)
    again = executions.hold(executions.paused(held, NOW + HOUR), OPERATOR_HOLD, NOW + HOUR)
    assert executions.lift(again, OPERATOR_HOLD, NOW + 5 * HOUR).deadline == NOW + 5 * HOUR + HOUR - MINUTE


def test_other_holds_do_not_stop_the_time_out() -> None:
    assert executions.hold(RUNNING, "service", NOW + MINUTE).deadline == RUNNING.deadline
    assert executions.lift(RUNNING, "service", NOW + MINUTE).deadline == RUNNING.deadline


def test_a_restarted_execution_has_a_time_out_of_its_own() -> None:
    ended = executions.close(RUNNING, S.FAILED, {"code": "busy"}, NOW + MINUTE)
    assert executions.begin_restart(ended, {"a": 2}, 2 * HOUR, NOW + 5 * HOUR).deadline == NOW + 7 * HOUR
    assert executions.begin_restart(RUNNING, {"a": 2}, 2 * HOUR, NOW + MINUTE).deadline == RUNNING.deadline


@pytest.mark.parametrize(("status", "holds", "may"), [
    (S.RUNNING, (), True), (S.WAITING, (), True), (S.RUNNING, (RESTART_HOLD,), False), (S.PENDING, (), False),
    *((status, (), False) for status in set(S) - {S.RUNNING, S.WAITING, S.PENDING})])
def test_when_a_claimed_block_may_go_on(status: S, holds: tuple[str, ...], may: bool) -> None:
    assert an_execution(status=status, holds=holds).may_start_blocks == may


def test_each_hold_is_lifted_by_its_own_name_only() -> None:
    run = executions.hold(executions.hold(RUNNING, "service", NOW), OPERATOR_HOLD, NOW)
    assert (run.holds, run.status, run.hold_number) == ((OPERATOR_HOLD, "service"), S.PAUSING, 2)
    resumed = executions.lift(run, OPERATOR_HOLD, NOW)
    assert (resumed.holds, resumed.status, resumed.may_start_blocks) == (("service",), S.RUNNING, False)
    free = executions.lift(resumed, "service", NOW)
    assert (free.holds, free.hold_number, free.may_start_blocks) == ((), 4, True)


def test_a_hold_is_there_once_and_grows_the_hold_number_each_time() -> None:
    held = executions.hold(executions.hold(RUNNING, "service", NOW), "service", NOW)
    assert (held.holds, held.hold_number, held.status) == (("service",), 2, S.RUNNING)
    assert [event.type for event in held.outbox] == ["execution_held"] * 2
    assert executions.lift(RUNNING, "service", NOW).hold_number == 1


def test_a_cancel_ends_the_time_out_and_says_why() -> None:
    error = {"code": "execution_timed_out", "message": "Too long."}
    stopped = executions.cancel(RUNNING, LATER, error, "timed_out")
    assert (stopped.generation, stopped.deadline, stopped.error) == (2, None, error)


def test_a_cancel_gives_up_a_restart_and_its_hold_alone() -> None:
    begun = executions.begin_restart(executions.hold(RUNNING, "service", NOW), {"a": 2}, HOUR, NOW)
    stopped = executions.cancel(begun, LATER, None, "ada")
    assert (stopped.restart_targets, stopped.holds) == (None, ("service",))


def test_a_close_takes_holds_slots_and_deadline_away() -> None:
    run = replace(executions.hold(RUNNING, "service", NOW), slots=(Slot(block_id="a", fence=1),), slot_queue=("b",))
    closed = executions.close(run, S.FAILED, {"code": "busy"}, LATER)
    assert (closed.holds, closed.slots, closed.slot_queue) == ((), (), ())
    assert (closed.deadline, closed.completed_at) == (None, LATER)
    assert closed.error == {"code": "busy"}


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


@pytest.mark.parametrize(("run", "due_at"), [
    (an_execution(status=S.PENDING), LATER + MINUTE), (replace(RUNNING, status=S.PAUSING), LATER + MINUTE),
    (replace(RUNNING, status=S.CANCELLING), LATER + MINUTE),
    (replace(executions.rest(RUNNING, LATER), restart_targets={"a": 2}), LATER + MINUTE),
    (RUNNING, LATER + MINUTE), (replace(RUNNING, deadline=None), LATER + MINUTE),
    (replace(RUNNING, deadline=LATER), LATER), (executions.rest(RUNNING, LATER), None),
    (replace(RUNNING, status=S.PAUSED), None),
    (executions.close(RUNNING, S.COMPLETED, None, LATER), None)])
def test_the_sweep_looks_again_when_there_is_a_reason(run: Execution, due_at: object) -> None:
    rested = executions.at_rest(run, LATER, MINUTE)
    assert (rested.due_at, rested.version) == (due_at, run.version)


@repeatable
@given(st.lists(st.sampled_from([*CHANGES, "end_restart", "hold service", "lift service"]), max_size=30))
def test_any_way_through_the_transitions(names: list[str]) -> None:
    more: dict[str, Change] = {
        "end_restart": lambda run: executions.end_restart(run, LATER),
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
        assert run.version == before.version + 1
        assert run.generation >= before.generation
        assert run.hold_number >= before.hold_number
        assert run.due_at == LATER
    assert _replay(run) == (run.version, executions.replayed(run) if run.outbox else {})


def _replay(run: Execution) -> tuple[int, dict[str, Any]]:
    """Return what the events of an execution give of it."""
    events = run.outbox
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert all(other.payload["from"] == one.payload["status"] for one, other in pairwise(events))
    known = {key: value for event in events for key, value in event.payload.items()}
    known.pop("from", None)
    known.pop("cause", None)
    return len(events), known
