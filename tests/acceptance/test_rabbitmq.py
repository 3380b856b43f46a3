"""The same service with RabbitMQ as its broker: the main job, and what a killed worker or broker does to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.servers.process import RunningServer
from tests.support.cluster import Cluster, running_cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.records import reading_records
from tests.support.scenarios import echo, review, template
from workflow_service.domain.invariants import violations

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=60)
EXECUTIONS = 10
BLOCKS = 6


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A RabbitMQ of our own."""
    require_rabbitmq()
    with running_rabbitmq(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, broker: RunningServer) -> Iterator[Cluster]:
    """A running service on it; chords are counted in Valkey."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), broker.url) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_control()
        yield running


def test_a_workflow_with_everything_ends_well(driver: Driver, cluster: Cluster) -> None:
    driver.store(review())
    execution_id = driver.start("review", risk=7)
    driver.approve(execution_id, PATIENCE, marker="edited by a person")
    ended = driver.ended(execution_id, PATIENCE)
    blocks = {block["blockId"]: block for block in ended["blockExecutions"]}
    assert ended["status"] == "completed"
    assert (blocks["deep"]["status"], blocks["quick"]["status"]) == ("completed", "skipped")
    assert blocks["end"]["output"]["published"] == "edited by a person"
    assert "Connection to broker lost" not in cluster.processes["blocks"].logs()


def kill_worker(cluster: Cluster, _: RunningServer) -> None:
    """Kill the worker with all its work, and start another."""
    cluster.processes["blocks"].kill()
    cluster.processes["blocks"].start()


def kill_broker(_: Cluster, broker: RunningServer) -> None:
    """Kill the broker, and start it again on its data."""
    broker.process.kill()
    broker.process.start()


@pytest.mark.parametrize("fault", [pytest.param(kill_worker, id="worker"), pytest.param(kill_broker, id="broker")])
def test_every_execution_survives(driver: Driver, cluster: Cluster, broker: RunningServer,
                                  fault: Callable[[Cluster, RunningServer], None]) -> None:
    # Given
    driver.store(template(fault.__name__, _slow_blocks()))
    started = [driver.start(fault.__name__) for _ in range(EXECUTIONS)]
    eventually(lambda: _effects(cluster, started) or None, PATIENCE)
    # When
    fault(cluster, broker)
    # Then
    assert {driver.ended(execution_id, PATIENCE)["status"] for execution_id in started} == {"completed"}
    effects = Counter(_effects(cluster, started))
    assert len(effects) == EXECUTIONS * BLOCKS
    assert set(effects.values()) == {1}
    with reading_records(cluster) as records:
        for execution_id in started:
            assert not violations(records.told(execution_id, PATIENCE))


def _slow_blocks() -> list[dict[str, object]]:
    """A line, a fan-out and a join, slow enough to be caught in the act."""
    slow: dict[str, Any] = {"configuration": {"delayMs": 50}}
    return [echo("begin", **slow), *(echo(name, ["begin"], **slow) for name in ("left", "middle", "right")),
            echo("join", ["left", "middle", "right"], **slow), echo("end", ["join"], **slow)]


def _effects(cluster: Cluster, executions: list[str]) -> list[str]:
    return [str(effect["key"]) for execution_id in executions
            for effect in effects_of(cluster.agents.url, execution_id)]
