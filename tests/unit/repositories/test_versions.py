"""Which fields and events a change writes, and on what it depends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflow_service.domain.blocks import BlockExecution, claim, complete, decide_edge
from workflow_service.domain.statuses import BlockStatus
from workflow_service.repositories.versions import changed_fields, guarded_fields, new_events

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
READY = BlockExecution(workspace_id="w", execution_id="x1", block_id="b1", agent_id="a", status=BlockStatus.READY,
                       pending_edges=("a:1",), input={"n": 1, "list": [1]})
RUNNING = claim(READY, "worker-1", NOW, LEASE)


@pytest.mark.parametrize(("fields", "expected"), [
    ({}, ()),
    ({"satisfied": 1}, ("satisfied",)),
    ({"input": {"n": 1, "list": [1]}}, ()),
    ({"input": {"n": True, "list": [1]}}, ("input",)),
    ({"input": {"n": 1.0, "list": [1]}}, ("input",)),
    ({"input": {"n": 1, "list": [True]}}, ("input",)),
    ({"input": None}, ("input",)),
    ({"outbox": RUNNING.outbox}, ()),
    ({"version": 1}, ("version", "due_at")),
])
def test_changed_fields(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert changed_fields(READY, replace(READY, **fields)) == expected


def test_claim_writes_what_it_alters_alone() -> None:
    assert set(changed_fields(READY, RUNNING)) == {
        "status", "version", "fence", "lease_owner", "lease_until", "attempt", "due_at", "started_at"}


def test_events_of_all_composed_transitions_are_new() -> None:
    done = complete(RUNNING, {}, None, NOW, LEASE)
    assert [event.version for event in new_events(READY, done)] == [1, 2]
    assert [event.version for event in new_events(RUNNING, done)] == [2]
    assert new_events(done, replace(done, outbox=())) == ()


@pytest.mark.parametrize(("before", "after", "expected"), [
    (READY, RUNNING, ()),
    (READY, claim(decide_edge(READY, "a:1", True), "w", NOW, LEASE), ("pending_edges",)),
    (RUNNING, complete(RUNNING, {}, None, NOW, LEASE), ()),
    (RUNNING, claim(RUNNING, "worker-2", NOW + LEASE, LEASE), ("lease_until",)),
])
def test_guarded_fields(before: BlockExecution, after: BlockExecution, expected: tuple[str, ...]) -> None:
    assert guarded_fields(before, after) == expected
