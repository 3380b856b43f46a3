"""What the history tells is counted once, and the time of a block is measured from its claim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.scrape import samples
from workflow_service.domain.events import Event
from workflow_service.metrics.events import EventMetrics
from workflow_service.metrics.registry import Registry
from workflow_service.services.ports import StoredEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def registry() -> Registry:
    """Metrics at zero."""
    return Registry({})


@pytest.fixture
def metrics(registry: Registry) -> EventMetrics:
    """The observer."""
    return EventMetrics(registry)


def stored(type: str, after_s: float = 0.0, source: str = "e:a", **payload: Any) -> StoredEvent:
    """Return an event of the history."""
    return StoredEvent(sequence=1, event=Event(
        type=type, workspace_id="w", execution_id="e", source=source, version=1, at=NOON + timedelta(seconds=after_s),
        block_id="a", payload=payload))


@pytest.mark.parametrize(("type", "cause", "counted"), [
    ("block_started", "claimed", 'workflow_blocks_total{outcome="claimed"}'),
    ("block_started", "lease_expired", 'workflow_blocks_total{outcome="taken_over"}'),
    ("block_ready", "worker_stopping", 'workflow_blocks_total{outcome="handed_back"}'),
    ("block_ready", "held", 'workflow_blocks_total{outcome="held"}'),
    ("block_completed", "agent_answered", 'workflow_blocks_total{outcome="completed"}'),
    ("block_completed", "supplied", 'workflow_blocks_total{outcome="supplied"}'),
    ("block_failed", "odd", 'workflow_blocks_total{outcome="failed"}'),
    ("block_rejected", "rejected", 'workflow_blocks_total{outcome="rejected"}'),
    ("block_skipped", "guard_false", 'workflow_blocks_total{outcome="skipped"}'),
    ("block_cancelled", "cancelled", 'workflow_blocks_total{outcome="cancelled"}'),
    ("block_parked", "approval", 'workflow_blocks_total{outcome="parked"}'),
    ("block_retry_scheduled", "retry 1", 'workflow_blocks_total{outcome="retried"}'),
    ("block_reset", "restart", 'workflow_blocks_total{outcome="reset"}'),
    ("execution_started", None, "workflow_executions_started_total"),
    ("execution_completed", None, 'workflow_executions_ended_total{status="completed"}'),
    ("execution_failed", None, 'workflow_executions_ended_total{status="failed"}'),
    ("execution_cancelled", None, 'workflow_executions_ended_total{status="cancelled"}'),
    ("approval_requested", None, 'workflow_approvals_total{outcome="requested"}'),
    ("approval_timeout", None, 'workflow_approvals_total{outcome="timeout"}'),
])
def test_each_event_is_counted_as_what_it_is(registry: Registry, metrics: EventMetrics, type: str, cause: str | None,
                                             counted: str) -> None:
    before = samples(registry.text())
    metrics.notice(stored(type, cause=cause, fence=1))
    after = samples(registry.text())
    moved = {name: value - before.get(name, 0.0) for name, value in after.items()
             if name.startswith("workflow_") and "_created" not in name and value != before.get(name, 0.0)}
    assert moved == {counted: 1.0}


@pytest.mark.parametrize(("type", "cause"), [
    ("block_completed", "joined"), ("block_ready", "edges_satisfied"), ("block_kept", None), ("wait_fired", None),
    ("of_a_newer_version", None)])
def test_what_is_nobodys_work_is_not_counted(registry: Registry, metrics: EventMetrics, type: str,
                                             cause: str | None) -> None:
    metrics.notice(stored(type, cause=cause))
    assert not any(value for name, value in samples(registry.text()).items()
                   if name.startswith("workflow_") and "_created" not in name)


def test_the_time_from_the_claim_to_the_end(registry: Registry, metrics: EventMetrics) -> None:
    metrics.notice(stored("block_started", 1.0, cause="claimed", fence=3))
    metrics.notice(stored("block_completed", 3.5, cause="agent_answered", fence=3))
    found = samples(registry.text())
    assert found['workflow_block_duration_seconds_sum{outcome="completed"}'] == 2.5
    assert found['workflow_block_duration_seconds_bucket{le="1.0",outcome="completed"}'] == 0
    assert found['workflow_block_duration_seconds_bucket{le="2.5",outcome="completed"}'] == 1


@pytest.mark.parametrize("end", [
    stored("block_completed", 9.0, cause="agent_answered", fence=4),  # of a claim that another process made
    stored("block_completed", 9.0, source="e:b", cause="agent_answered", fence=3),
])
def test_no_time_is_made_up_from_somebody_elses_claim(registry: Registry, metrics: EventMetrics,
                                                      end: StoredEvent) -> None:
    metrics.notice(stored("block_started", 1.0, cause="claimed", fence=3))
    metrics.notice(end)
    assert 'workflow_block_duration_seconds_sum{outcome="completed"}' not in samples(registry.text())


def test_claims_whose_end_is_never_seen_are_forgotten(registry: Registry, metrics: EventMetrics) -> None:
    metrics.notice(stored("block_started", cause="claimed", fence=1, source="e:first"))
    for number in range(10_000):
        metrics.notice(stored("block_started", cause="claimed", fence=1, source=f"e:{number}"))
    metrics.notice(stored("block_failed", 1.0, cause="odd", fence=1, source="e:first"))
    assert 'workflow_block_duration_seconds_sum{outcome="failed"}' not in samples(registry.text())
