"""Real workers, real queues: a critical section has one block at a time, an agent as many as it may, by its own log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver, effects_of, most_at_once
from tests.support.records import reading_records
from tests.support.scenarios import echo, template
from workflow_service.domain.invariants import violations
from workflow_service.domain.permits import mutex_permits
from workflow_service.repositories.mongo.connection import connect
from workflow_service.repositories.mongo.permits import PermitsInMongo

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=90)
EXECUTIONS = 6
SLOW = {"delayMs": 250}
LIMITS = '{"echo-async": {"maxConcurrent": 2}}'


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A service with two workers for blocks, one for ``gpu``, and a limit of one agent."""
    monkeypatch.setenv("WORKFLOW_QUEUES", "gpu")
    monkeypatch.setenv("LIMITS_AGENTS", LIMITS)
    with running_cluster(tmp_path) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_worker("blocks-2", "blocks")
        running.start_worker("gpu", "gpu", concurrency=1)
        running.start_control()
        yield running


def test_no_two_are_in_a_critical_section_and_no_more_at_an_agent_than_may(cluster: Cluster) -> None:
    # Given
    driver = Driver(cluster.url, SECRET)
    driver.store(template("shared", [
        echo("begin"), echo("deploy", ["begin"], configuration=SLOW, mutex={"name": "deploy ${input.to}"}),
        echo("check", ["begin"], configuration=SLOW, agentId="echo-async"),
        echo("render", ["begin"], queue="gpu", priority=9), echo("end", ["deploy", "check", "render"])]))
    # When: half of them deploy to one place, half to another
    started = [driver.start("shared", to=["north", "south"][number % 2]) for number in range(EXECUTIONS)]
    kill_one_worker(cluster)
    ended = [driver.ended(execution_id, PATIENCE) for execution_id in started]
    # Then
    assert {execution["status"] for execution in ended} == {"completed"}
    spans = {execution_id: spans_of(cluster, execution_id) for execution_id in started}
    for place in (started[0::2], started[1::2]):
        assert most_at_once(spans[name]["deploy"] for name in place) == 1
    assert most_at_once(spans[name]["check"] for name in started) <= 2
    assert cluster.processes["gpu"].logs().count("succeeded in") == EXECUTIONS
    with reading_records(cluster) as records:
        assert [violations(records.told(execution_id, PATIENCE)) for execution_id in started] == [()] * EXECUTIONS
    assert waiting_for(cluster, "north", "south") == []


def kill_one_worker(cluster: Cluster) -> None:
    """Kill a worker with all that it is at; its permits stay with its blocks."""
    cluster.processes["blocks-2"].kill()


def spans_of(cluster: Cluster, execution_id: str) -> dict[str, tuple[str, str]]:
    """Return from when to when agents were at work on the blocks of an execution, by their own log."""
    effects: Sequence[dict[str, Any]] = effects_of(cluster.agents.url, execution_id)
    spans = {effect["key"].split(":")[1]: (effect["startedAt"], effect["endedAt"]) for effect in effects}
    assert len(effects) == len(spans) == 5, "some work was done twice"
    return spans


def waiting_for(cluster: Cluster, *places: str) -> list[str]:
    """Return the places for which somebody still waits or holds a permit."""
    store = connect(cluster.mongodb.url, alias="permits")
    try:
        pools = [PermitsInMongo(store).get(mutex_permits("default", f"deploy {place}")) for place in places]
        return [pool.name for pool in pools if pool is not None and (pool.holders or pool.waiting)]
    finally:
        store.close()
