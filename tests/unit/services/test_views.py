"""What is shown of an execution is consistent with itself, whatever happened and whatever the clocks said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import LEASE, NOW, a_block_execution, a_failure, a_plan, an_execution
from tests.unit.services.lives import BUSY, OPERATOR, Life, block, gate
from workflow_service.domain import blocks
from workflow_service.domain import execution as executions
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.commands import CancelExecution, RestartExecution
from workflow_service.domain.errors import Conflict, IllegalTransition
from workflow_service.domain.execution import Execution
from workflow_service.domain.statuses import BLOCK_ENDS, BlockStatus, ExecutionStatus, WaitKind
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.services import views

S, B = ExecutionStatus, BlockStatus
Change = Callable[[Any, datetime], Any]


def _close(status: ExecutionStatus, run: Execution, at: datetime) -> Execution:
    return executions.close(run, status, None, at)


EXECUTION_CHANGES: Mapping[str, Change] = {
    "start": lambda run, at: executions.start(run, at) if run.status is S.PENDING else run,
    "rest": executions.rest, "paused": executions.paused,
    "rise": lambda run, at: executions.rise(run, at) if run.status is S.WAITING else run,
    "hold": lambda run, at: executions.hold(run, "operator", at),
    "lift": lambda run, at: executions.lift(run, "operator", at),
    "cancel": lambda run, at: executions.cancel(run, at, None, "ann"),
    "restart": lambda run, at: executions.begin_restart(run, {"a": 2}, LEASE, at, by="ann"),
    **{f"close as {status}": partial(_close, status) for status in (S.COMPLETED, S.FAILED, S.CANCELLED)}}
BLOCK_CHANGES: Mapping[str, Change] = {
    "ready": lambda one, at: blocks.wake(one, at, LEASE, "x"),
    "claim": lambda one, at: blocks.claim(one, "w", at, LEASE),
    "undo": lambda one, at: blocks.undo_claim(one, at, LEASE, "held"),
    "park": lambda one, at: blocks.park(one, WaitKind.APPROVAL, at, LEASE, called=False),
    "retry": lambda one, at: blocks.wait_for_retry(one, a_failure(), at, at, "x"),
    "complete": lambda one, at: blocks.complete(one, {}, None, at, LEASE) if one.status is B.RUNNING else one,
    "fail": lambda one, at: blocks.fail(one, a_failure(), at, LEASE),
    "reject": lambda one, at: blocks.reject(one, "ann", None, at, LEASE),
    "skip": lambda one, at: blocks.skip(one, at, LEASE), "cancel": lambda one, at: blocks.cancel(one, at, LEASE, "x"),
    "reset": lambda one, at: blocks.restart(one, one.epoch + 1, (), at, agent_id=one.agent_id)}
SKEWED = st.integers(-5000, 5000).map(lambda number: NOW + timedelta(milliseconds=number))
"""Instants of clocks that do not agree."""


def changed(value: Any, changes: Mapping[str, Change], steps: Sequence[tuple[str, datetime]]) -> Any:
    """Return a value after all of the steps that its status allows."""
    for name, at in steps:
        try:
            value = changes[name](value, at)
        except IllegalTransition:
            continue
    return value


def assert_times_fit(status: Any, ends: frozenset[Any], begun: datetime | None, ended: datetime | None) -> None:
    assert (ended is not None) == (status in ends)
    assert begun is None or ended is None or begun <= ended


def assert_consistent(shown: Mapping[str, Any]) -> None:
    """Fail if what is shown of an execution contradicts itself."""
    status = S(shown["status"])
    assert_times_fit(status, frozenset(one for one in S if one.is_terminal), shown["startedAt"], shown["completedAt"])
    assert shown["startedAt"] is None or shown["createdAt"] <= shown["startedAt"]
    if status in (S.RUNNING, S.WAITING, S.PAUSING, S.PAUSED):
        assert shown["startedAt"] is not None
    if status is S.PENDING:
        assert shown["startedAt"] is None
    for one in shown["blockExecutions"]:
        assert_times_fit(B(one["status"]), BLOCK_ENDS, one["startedAt"], one["completedAt"])
        assert one["startedAt"] is not None or B(one["status"]) not in (B.RUNNING, B.COMPLETED, B.FAILED, B.RETRY_WAIT)
    assert_counts_fit(shown)


def assert_counts_fit(shown: Mapping[str, Any]) -> None:
    """Fail if a block stands in a list that its status does not belong to, or is missing from one."""
    statuses = {one["blockId"]: B(one["status"]) for one in shown["blockExecutions"]}
    lists = {name: set(shown[name]) for name in ("currentBlocks", "completedBlocks", "failedBlocks", "blockedBlocks")}
    assert sum(map(len, lists.values())) == len(set().union(*lists.values()))
    for name, own in statuses.items():
        expected = {"currentBlocks": own in (B.READY, B.RUNNING, B.RETRY_WAIT), "completedBlocks": own is B.COMPLETED,
                    "failedBlocks": own in (B.FAILED, B.REJECTED), "blockedBlocks": own.is_parked}
        assert {key: name in found for key, found in lists.items()} == expected
    assert {one["blockId"] for one in shown["inFlight"]} == {
        name for name, own in statuses.items() if own in (B.RUNNING, B.AWAITING_AGENT)}
    if S(shown["status"]).is_terminal:
        assert set(statuses.values()) <= BLOCK_ENDS
    if shown["status"] == S.COMPLETED:
        assert not lists["failedBlocks"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(EXECUTION_CHANGES)), SKEWED), max_size=25))
def test_times_of_an_execution_fit_its_status(steps: list[tuple[str, datetime]]) -> None:
    run: Execution = changed(an_execution(), EXECUTION_CHANGES, steps)
    assert_consistent(views.details(a_plan(), replace(run, outbox=()), [], [], [], [], NOW))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(BLOCK_CHANGES)), SKEWED), max_size=25))
def test_times_of_a_block_fit_its_status(steps: list[tuple[str, datetime]]) -> None:
    one: BlockExecution = changed(a_block_execution(status=B.READY), BLOCK_CHANGES, steps)
    running = executions.start(an_execution(), NOW)
    assert_consistent(views.details(a_plan(), running, [one], [], [], [], NOW))


def _messages(number: int, life: Life, run: str) -> None:
    for _ in range(min(number, len(life.messages))):
        life.engine.blocks.run(life.messages.popleft())


def _restart(life: Life, run: str) -> None:
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="b"))


def _cancel(life: Life, run: str) -> None:
    life.engine.cancellation.cancel(OPERATOR, CancelExecution(execution_id=run))


def _answer(approved: bool) -> Callable[[Life, str], None]:
    def answer(life: Life, run: str) -> None:
        if any(one.status == "pending" for one in life.requests(run, "c")):
            life.answer(run, "c", approved)
    return answer


ACTS: Mapping[str, Callable[[Life, str], object]] = {
    "a message": partial(_messages, 1), "two messages": partial(_messages, 2),
    "a sweep": lambda life, run: life.sweep(), "time": lambda life, run: life.clock.advance(timedelta(minutes=11)),
    "yes": _answer(True), "no": _answer(False), "pause": lambda life, run: life.pause(run),
    "resume": lambda life, run: life.engine.holds.resume(OPERATOR, run), "cancel": _cancel, "restart": _restart,
    "told": lambda life, run: life.engine.finisher.flush()}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=25))
def test_an_execution_is_consistent_after_whatever_happened(acts: list[str]) -> None:
    life = Life(block("a"), block("b", "a"), gate("c", "a"), block("d", "b", "c"))
    life.agents.plan("b", BUSY)
    run = life.start()
    for act in acts:
        try:
            ACTS[act](life, run)
        except Conflict:
            continue
        assert_consistent(life.engine.executions.get(OPERATOR, run))


class RestartedMeanwhile(ExecutionsInMemory):
    """Executions of which one is restarted right after it was read for the first time."""

    def __init__(self, life: Life, run: str) -> None:
        """Take the life, and the execution that is to be restarted."""
        super().__init__()
        self._kept = life.executions
        self._life: Life | None = life
        self._run = run

    def get(self, workspace_id: str, identifier: str) -> Execution | None:
        """Return an execution, and let it be restarted."""
        found = self._kept.get(workspace_id, identifier)
        if self._life is not None and identifier == self._run:
            life, self._life = self._life, None
            _restart(life, self._run)
        return found


def test_what_changes_while_it_is_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(block("a"), block("b", "a"))
    run = life.start()
    life.settle()
    monkeypatch.setattr(life.engine.executions, "_stores", replace(
        life.engine.executions._stores, executions=RestartedMeanwhile(life, run)))
    shown = life.engine.executions.get(OPERATOR, run)
    assert shown["status"] == "running" and shown["currentBlocks"] == ["b"]
    assert_consistent(shown)
