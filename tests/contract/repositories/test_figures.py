"""Figures: what is counted, and of which documents the ages are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.repositories.builders import NOW
from workflow_service.domain.approval import Approval
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.events import Event
from workflow_service.domain.execution import Execution
from workflow_service.domain.permits import Claimant, agent_permits, mutex_permits
from workflow_service.domain.recovery import Checkpoint
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind, WaitStatus
from workflow_service.domain.wait import Wait
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.checkpoints import CheckpointsInMemory
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.figures import FiguresInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.repositories.mongo.approvals import ApprovalsInMongo
from workflow_service.repositories.mongo.blocks import BlocksInMongo
from workflow_service.repositories.mongo.checkpoints import CheckpointsInMongo
from workflow_service.repositories.mongo.connection import Store, connect
from workflow_service.repositories.mongo.executions import ExecutionsInMongo
from workflow_service.repositories.mongo.figures import FiguresInMongo
from workflow_service.repositories.mongo.indexes import INDEXES, create_indexes
from workflow_service.repositories.mongo.permits import PermitsInMongo
from workflow_service.repositories.mongo.waits import WaitsInMongo
from workflow_service.services.figures import FigureSource

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


@dataclass(kw_only=True)
class Stored:
    """What is counted, and who counts it."""

    executions: Any
    blocks: Any
    waits: Any
    approvals: Any
    checkpoints: Any
    permits: Any
    figures: FigureSource


@pytest.fixture
def stored(adapter: str, clock: VirtualClock, request: pytest.FixtureRequest) -> Stored:
    """Nothing."""
    if adapter == "memory":
        executions, blocks, waits, approvals = (ExecutionsInMemory(), BlocksInMemory(), WaitsInMemory(),
                                                ApprovalsInMemory())
        checkpoints = CheckpointsInMemory(clock)
        permits = PermitsInMemory()
        figures = FiguresInMemory(executions, blocks, waits, approvals, checkpoints, permits, clock, LEASE)
        return Stored(executions=executions, blocks=blocks, waits=waits, approvals=approvals, checkpoints=checkpoints,
                      permits=permits, figures=figures)
    store: Store = request.getfixturevalue("store")
    create_indexes(store, INDEXES)
    kept = CheckpointsInMongo(store, clock)
    return Stored(executions=ExecutionsInMongo(store), blocks=BlocksInMongo(store), waits=WaitsInMongo(store),
                  approvals=ApprovalsInMongo(store), checkpoints=kept, permits=PermitsInMongo(store),
                  figures=FiguresInMongo(store, kept, clock, LEASE))


def a_block(name: str, status: BlockStatus, **fields: Any) -> BlockExecution:
    """Return a block."""
    return BlockExecution(workspace_id="w", execution_id="e", block_id=name, agent_id="echo", status=status, **fields)


def an_execution(name: str, status: ExecutionStatus, **fields: Any) -> Execution:
    """Return an execution."""
    return Execution(workspace_id=f"of-{name}", execution_id=name, template_id="t", template_version="1.0.0",
                     created_by="ada", created_at=NOW, status=status, **fields)


def an_approval(name: str, status: ApprovalStatus, overdue_after: timedelta) -> Approval:
    """Return an approval."""
    return Approval(approval_id=name, workspace_id="w", execution_id="e", block_id=name, epoch=1, wait_id=name,
                    type="approve", title="T", payload={}, input_schema={}, assigned_to="approver", escalate_to="admin",
                    timeout=timedelta(hours=1), requested_at=NOW, overdue_at=NOW + overdue_after, status=status,
                    due_at=NOW + overdue_after)


def a_wait(name: str, kind: WaitKind, **fields: Any) -> Wait:
    """Return a wait."""
    return Wait(workspace_id="w", execution_id="e", block_id=name, epoch=1, kind=kind, **fields)


def test_of_nothing_there_is_nothing(stored: Stored) -> None:
    figures = stored.figures.read()
    assert not any([*figures.executions.values(), *figures.blocks.values(), *figures.due.values(),
                    *figures.parked.values()])
    assert (figures.oldest_ready, figures.checkpoint_lag, figures.outbox_lag) == (None, None, None)
    assert (figures.approvals_pending, figures.approvals_overdue, figures.checkpoints_waiting) == (0, 0, 0)


def test_executions_count_until_they_end(stored: Stored) -> None:
    for status in ExecutionStatus:
        stored.executions.insert(an_execution(f"{status}-1", status))
        stored.executions.insert(an_execution(f"{status}-2", status))
    assert dict(stored.figures.read().executions) == {
        status: 2 for status in ExecutionStatus if not status.is_terminal}


def test_blocks_count_while_they_are_on_their_way(stored: Stored) -> None:
    stored.blocks.insert_all([
        a_block("new", BlockStatus.READY, due_at=NOW + LEASE - 5 * SECOND),
        a_block("old", BlockStatus.READY, due_at=NOW + LEASE - 20 * SECOND),
        a_block("sent", BlockStatus.READY, due_at=NOW + LEASE, sent=1),
        a_block("runs", BlockStatus.RUNNING, due_at=NOW - SECOND),
        a_block("again", BlockStatus.RETRY_WAIT, due_at=NOW + SECOND),
        a_block("parked", BlockStatus.AWAITING_APPROVAL),
        a_block("done", BlockStatus.COMPLETED, released=True)])
    figures = stored.figures.read()
    assert dict(figures.blocks) == {BlockStatus.READY: 3, BlockStatus.RUNNING: 1, BlockStatus.RETRY_WAIT: 1}
    assert figures.oldest_ready == LEASE  # that which was sent again after one lease
    assert figures.due["blocks"] == 1


def test_an_event_that_was_not_relayed_has_an_age(stored: Stored) -> None:
    event = Event(type="block_completed", workspace_id="w", execution_id="e", source="e:a", version=1, at=NOW)
    stored.blocks.insert_all([
        a_block("a", BlockStatus.COMPLETED, due_at=NOW + LEASE, outbox=(replace(event, at=NOW - 7 * SECOND), event))])
    assert stored.figures.read().outbox_lag == 7 * SECOND


def test_parked_blocks_count_by_what_they_wait_for(stored: Stored) -> None:
    stored.waits.insert(a_wait("polled", WaitKind.AGENT, due_at=NOW - SECOND))
    stored.waits.insert(a_wait("later", WaitKind.AGENT, due_at=NOW + SECOND))
    stored.waits.insert(a_wait("fired", WaitKind.AGENT, due_at=NOW - SECOND, status=WaitStatus.FIRED))
    stored.waits.insert(a_wait("asked", WaitKind.APPROVAL))
    stored.approvals.insert(an_approval("asked", ApprovalStatus.PENDING, timedelta(hours=1)))
    stored.approvals.insert(an_approval("late", ApprovalStatus.PENDING, -SECOND))
    stored.approvals.insert(an_approval("answered", ApprovalStatus.APPROVED, timedelta(hours=1)))
    figures = stored.figures.read()
    assert dict(figures.parked) == {WaitKind.APPROVAL: 2, WaitKind.AGENT: 2}
    assert (figures.approvals_pending, figures.approvals_overdue) == (2, 1)
    assert dict(figures.due) == {"blocks": 0, "executions": 0, "waits": 2, "approvals": 1}


def test_checkpoints_that_wait(stored: Stored, clock: VirtualClock) -> None:
    for name in ("a", "b"):
        stored.checkpoints.add([Checkpoint(workspace_id="w", execution_id="e", block_id=name, epoch=1, fence=1,
                                           retry_count=0, status=BlockStatus.COMPLETED)])
        clock.advance(3 * SECOND)
    figures = stored.figures.read()
    assert (figures.checkpoints_waiting, figures.checkpoint_lag) == (2, 6 * SECOND)


def test_a_store_that_is_away_is_said(clock: VirtualClock) -> None:
    store = connect("mongodb://127.0.0.1:1/none", alias="figures-of-nobody", server_selection_timeout=SECOND)
    away: Callable[[], object] = FiguresInMongo(store, CheckpointsInMongo(store, clock), clock, LEASE).read
    try:
        with pytest.raises(Unavailable):
            away()
    finally:
        store.close()


def test_blocks_that_wait_for_a_permit_are_counted_by_what_is_limited(stored: Stored) -> None:
    blocks = [Claimant(workspace_id="w", execution_id="e", block_id=name, epoch=1) for name in "abc"]
    for name, count in ((mutex_permits("w", "m"), 2), (mutex_permits("v", "m"), 1), (agent_permits("echo"), 3)):
        for block in blocks[:count]:
            stored.permits.queue(name, block, NOW)
    stored.permits.take(mutex_permits("w", "free"), blocks[0], 1, 1, NOW)
    assert stored.figures.read().permit_waits == {"mutex": 3, "agent": 3}
