"""How a worker ends, and how it outlives its broker.

No beat and no worker for sweeps runs here, so nothing is repaired: whatever happens, the worker did it by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from signal import SIGTERM
from typing import Any

import pytest
import requests

from tests.support.celery_nodes import LocalBroker
from tests.support.cluster import SECRET, Cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.records import Records, reading_records
from tests.support.scenarios import echo, template
from workflow_service.domain.invariants import violations

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)


@pytest.fixture
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    cluster.start_web()
    return Driver(cluster.url, SECRET)


@pytest.fixture
def records(cluster: Cluster) -> Iterator[Records]:
    """What is stored."""
    with reading_records(cluster) as reading:
        yield reading


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_worker_that_is_told_to_end_ends_its_work_and_hands_back_the_rest(
        cluster: Cluster, driver: Driver, records: Records, monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    # Given: a worker that does one block at a time and lets what follows gather, two blocks running, one waiting
    monkeypatch.setenv("WORKFLOW_IN_PLACE_BUDGET_MS", "1")
    monkeypatch.setenv("WORKFLOW_BATCH_INTERVAL_MS", "950")
    worker = cluster.start_worker("blocks", "blocks", pool=pool, concurrency=2)
    driver.store(template("slow", [echo("a", configuration={"delayMs": 1000}), echo("b", ["a"])]))
    started = [driver.start("slow") for _ in range(3)]
    running = eventually(lambda: begun(cluster, started) if len(begun(cluster, started)) == 2 else None, PATIENCE)
    # When
    worker.kill(SIGTERM)
    eventually(lambda: True if not worker.is_running else None, PATIENCE)
    # Then: what ran has ended, and everybody was told of it, though nothing repairs
    for execution_id in running:
        record = records.of(execution_id)
        assert {block.block_id: block.status.value for block in record.blocks} == {"a": "completed", "b": "ready"}
        assert record.by_name["a"].released and not record.by_name["a"].outbox
        assert not violations(record)
        assert completed_in_state_service(cluster, execution_id) == ["a"]
    # And: what had not begun is done by the next worker
    worker.start()
    assert {driver.ended(execution_id, PATIENCE)["status"] for execution_id in started} == {"completed"}
    effects = Counter(effect["key"] for execution_id in started
                      for effect in effects_of(cluster.agents.url, execution_id))
    assert len(effects) == 6
    assert set(effects.values()) == {1}


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_worker_outlives_a_broker_that_is_killed_under_its_work(cluster: Cluster, driver: Driver,
                                                                  celery_broker: LocalBroker, pool: str) -> None:
    # Given
    worker = cluster.start_worker("blocks", "blocks", pool=pool, concurrency=2)
    driver.store(template("long", [echo("a", configuration={"delayMs": 3000}), echo("b", ["a"])]))
    execution_id = driver.start("long")
    eventually(lambda: begun(cluster, [execution_id]) or None, PATIENCE)
    pid = worker.pid
    # When
    celery_broker.kill()
    eventually(lambda: True if "Cannot connect to" in worker.logs() else None, PATIENCE)
    celery_broker.restart()
    # Then
    assert driver.ended(execution_id, PATIENCE)["status"] == "completed"
    assert driver.ended(driver.start("long"), PATIENCE)["status"] == "completed"
    assert worker.is_running and worker.pid == pid
    assert "Unrecoverable error" not in worker.logs()


def begun(cluster: Cluster, executions: Sequence[str]) -> list[str]:
    """Return the executions for which an agent has begun to work."""
    return [execution_id for execution_id in executions if effects_of(cluster.agents.url, execution_id)]


def completed_in_state_service(cluster: Cluster, execution_id: str) -> Any:
    """Return the blocks of which the State Management Service knows that they have completed."""
    answer = requests.get(f"{cluster.state.url}/workspaces/default/plays/{execution_id}", timeout=5)
    return answer.json()["completedBlocks"]
