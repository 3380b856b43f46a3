"""The tasks of beat: each asks one kind of document, and none of them raises because something is away."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import names, sweeps
from tasks.app import app
from tests.support.scrape import samples
from tests.tasks.engines import WorkerInMemory

ASKS = {
    names.SWEEP_BLOCKS: "blocks.due", names.SWEEP_EXECUTIONS: "executions.due", names.SWEEP_WAITS: "waits.due",
    names.SWEEP_APPROVALS: "approvals.due", names.SWEEP_CHECKPOINTS: "checkpoints.oldest",
    names.FOLLOW_STATE_CHANGES: "state.changes",
}
"""What each sweep asks first."""


def task_of(name: str) -> Any:
    """Return a task by the name under which beat sends it."""
    return app.tasks[name]


def _counted(worker: WorkerInMemory, name: str) -> tuple[float | None, float | None]:
    """Return how many sweeps were timed, and how many were left to the next."""
    found, sweep = samples(worker.metrics.text()), f'{{sweep="{name.partition(".")[2]}"}}'
    return (found.get(f"workflow_sweep_duration_seconds_count{sweep}"),
            found.get(f"workflow_sweeps_failed_total{sweep}"))


@pytest.fixture(autouse=True)
def _at_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sweep was made before."""
    monkeypatch.setattr(sweeps, "pace", sweeps.Pace())


@pytest.mark.parametrize(("seconds", "is_made"), [(0, False), (2.4, False), (2.6, True), (60, True)])
def test_sweeps_that_piled_up_are_passed_by(seconds: float, is_made: bool) -> None:
    times = iter([100.0, 100.0 + seconds])
    pace = sweeps.Pace(lambda: next(times))
    assert pace.lets(names.SWEEP_BLOCKS)
    assert pace.lets(names.SWEEP_BLOCKS) is is_made


def test_each_kind_of_sweep_has_a_pace_of_its_own() -> None:
    pace = sweeps.Pace(lambda: 1.0)
    assert all(pace.lets(name) for name in names.SWEEPS)


def test_every_sweep_is_held_here() -> None:
    assert set(ASKS) == set(names.SWEEPS)


@pytest.mark.parametrize(("name", "question"), ASKS.items(), ids=ASKS)
def test_a_sweep_asks_one_kind_of_document(name: str, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = WorkerInMemory()
    monkeypatch.setattr(sweeps, "process", worker)
    assert task_of(name)() is None
    assert set(worker.asked) == {question}
    assert _counted(worker, name) == (1, None)


@pytest.mark.parametrize("name", ASKS)
def test_a_sweep_that_reaches_nobody_is_left_to_the_next(name: str, monkeypatch: pytest.MonkeyPatch,
                                                         caplog: pytest.LogCaptureFixture) -> None:
    worker = WorkerInMemory(away=True)
    monkeypatch.setattr(sweeps, "process", worker)
    assert task_of(name)() is None
    assert "left to the next sweep" in caplog.text
    assert _counted(worker, name) == (1, 1)
