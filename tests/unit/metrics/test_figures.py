"""The figures of the store: read seldom, and missing rather than wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from tests.support.scrape import samples
from workflow_service.domain.errors import Unavailable
from workflow_service.domain.statuses import BlockStatus, ExecutionStatus, WaitKind
from workflow_service.metrics.catalogue import CATALOGUE, Scope
from workflow_service.metrics.figures import StoreFigures
from workflow_service.metrics.registry import Registry
from workflow_service.services.figures import Figures, ready_for

FIGURES = Figures(
    executions={ExecutionStatus.RUNNING: 3}, blocks={BlockStatus.READY: 4}, oldest_ready=timedelta(seconds=5),
    due={"blocks": 6}, parked={WaitKind.APPROVAL: 7}, permit_waits={"mutex": 12}, approvals_pending=8,
    approvals_overdue=9, checkpoints_waiting=10, checkpoint_lag=timedelta(seconds=11), outbox_lag=None)


class Source:
    """Gives figures, or fails; its time goes on by hand."""

    def __init__(self) -> None:
        """Answer at once."""
        self.figures = FIGURES
        self.is_away = False
        self.asked = 0
        self.time_s = 0.0
        self.may_answer = Event()
        self.may_answer.set()
        self.is_asked = Event()

    def read(self) -> Figures:
        """Return the figures."""
        self.asked += 1
        self.is_asked.set()
        assert self.may_answer.wait(10)
        if self.is_away:
            raise Unavailable("MongoDB")
        return self.figures

    def now(self) -> float:
        """Return the time."""
        return self.time_s


@pytest.fixture
def source() -> Source:
    """A store that answers."""
    return Source()


@pytest.fixture
def registry(source: Source) -> Registry:
    """Metrics with its figures."""
    registry = Registry({})
    registry.show_also(StoreFigures(source, timedelta(seconds=5), source.now))
    source.asked = 0
    return registry


def test_every_figure_is_shown(registry: Registry) -> None:
    found = samples(registry.text())
    assert {name: value for name, value in found.items() if name.partition("{")[0] in {
        one.name for one in CATALOGUE if one.scope is Scope.STORE}} == {
        'workflow_executions{status="running"}': 3, 'workflow_blocks_on_their_way{status="ready"}': 4,
        "workflow_oldest_ready_block_age_seconds": 5, 'workflow_due_documents{kind="blocks"}': 6,
        'workflow_parked_blocks{kind="approval"}': 7, 'workflow_permit_waits{kind="mutex"}': 12,
        "workflow_approvals_pending": 8, "workflow_approvals_overdue": 9,
        "workflow_checkpoints_waiting": 10, "workflow_checkpoint_lag_seconds": 11,
        "workflow_event_outbox_lag_seconds": 0, "workflow_figures_up": 1}


def test_the_store_is_asked_again_only_after_a_while(source: Source, registry: Registry) -> None:
    source.time_s = 100.0
    registry.text()
    source.figures = replace(FIGURES, approvals_pending=1)
    source.time_s = 104.9
    assert samples(registry.text())["workflow_approvals_pending"] == 8
    source.time_s = 105.0
    assert samples(registry.text())["workflow_approvals_pending"] == 1
    assert source.asked == 2


def test_while_the_store_is_away_that_is_all_there_is_and_it_is_not_asked_again_at_once(
        source: Source, registry: Registry) -> None:
    source.time_s, source.is_away = 100.0, True
    for _ in range(2):
        found = samples(registry.text())
        assert found["workflow_figures_up"] == 0
        assert "workflow_approvals_pending" not in found
        assert found["workflow_leases_lost_total"] == 0
    assert source.asked == 1
    source.time_s, source.is_away = 105.0, False
    assert samples(registry.text())["workflow_figures_up"] == 1


def test_nobody_waits_for_another_who_reads(source: Source, registry: Registry) -> None:
    for source.time_s, shown in [(0.0, None), (100.0, 8.0)]:
        source.is_asked.clear()
        source.may_answer.clear()
        slow = Thread(target=registry.text)
        slow.start()
        assert source.is_asked.wait(10)
        found = samples(registry.text())
        source.may_answer.set()
        slow.join(10)
        assert found.get("workflow_approvals_pending") == shown
        assert found.get("workflow_figures_up") == (shown and 1)
    assert source.asked == 2


@pytest.mark.parametrize(("left_s", "sent", "age_s"), [
    (30, 0, 0), (10, 0, 20), (-5, 0, 35), (30, 1, 30), (60, 2, 60), (120, 3, 120), (31, 0, 0)])
def test_a_ready_blocks_age_is_told_by_its_next_look(left_s: float, sent: int, age_s: float) -> None:
    assert ready_for(timedelta(seconds=left_s), sent, timedelta(seconds=30)) == timedelta(seconds=age_s)
