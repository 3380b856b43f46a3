"""Something is killed in the middle of 20 executions that each ask a person: all end well, each effect happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
import redis

from tests.support.cluster import Cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.records import reading_records
from tests.support.scenarios import echo, gate, template
from workflow_service.domain.invariants import violations

pytestmark = pytest.mark.acceptance

EXECUTIONS = 20
BLOCKS = 7
PATIENCE = timedelta(seconds=60)
Fault = Callable[[Cluster], None]


def kill_child(cluster: Cluster) -> None:
    """Kill one process of the pool; Celery replaces it."""
    psutil.Process(cluster.processes["blocks"].pid).children()[0].kill()


def kill_worker(cluster: Cluster) -> None:
    """Kill the worker with all its work, and start another."""
    cluster.processes["blocks"].kill()
    cluster.processes["blocks"].start()


def kill_control(cluster: Cluster) -> None:
    """Kill what repairs, and start it again."""
    cluster.processes["control"].kill()
    cluster.processes["control"].start()


def flush_broker(cluster: Cluster) -> None:
    """Empty Valkey: every message and every counter is lost."""
    with redis.Redis.from_url(cluster.valkey.url, socket_timeout=5) as client:
        client.flushall()


def kill_database(cluster: Cluster) -> None:
    """Kill the database, and start it again on its data."""
    cluster.mongodb.process.kill()
    cluster.mongodb.process.start()


@pytest.mark.parametrize(("fault", "pool"), [
    pytest.param(kill_child, "prefork", id="child"),
    pytest.param(kill_worker, "threads", id="worker"),
    pytest.param(kill_control, "threads", id="control"),
    pytest.param(flush_broker, "threads", id="flush"),
    pytest.param(kill_database, "threads", id="database"),
])
def test_every_execution_survives(cluster: Cluster, driver: Driver, fault: Fault, pool: str) -> None:
    # Given
    cluster.start_worker("blocks", "blocks", pool=pool, concurrency=4)
    driver.store(_workflow())
    started = [driver.start("work") for _ in range(EXECUTIONS)]
    _work_goes_on(cluster, started)
    # When
    fault(cluster)
    # Then
    for execution_id in started:
        driver.approve(execution_id, PATIENCE, marker="yes")
    ended = [driver.ended(execution_id, PATIENCE) for execution_id in started]
    assert Counter(execution["status"] for execution in ended) == {"completed": EXECUTIONS}
    effects = Counter(effect["key"] for execution_id in started
                      for effect in effects_of(cluster.agents.url, execution_id))
    assert len(effects) == EXECUTIONS * BLOCKS
    assert set(effects.values()) == {1}
    with reading_records(cluster) as records:
        for execution_id in started:
            assert not violations(records.told(execution_id, PATIENCE))


def _workflow() -> dict[str, object]:
    """A line, a fan-out, a join, a gate: blocks take long enough to be caught in the act."""
    slow: dict[str, Any] = {"configuration": {"delayMs": 30}}
    return template("work", [
        echo("begin", **slow), echo("next", ["begin"], **slow),
        *(echo(name, ["next"], **slow) for name in ("left", "right")),
        echo("join", ["left", "right"], **slow), gate("ask", ["join"]), echo("end", ["ask"], **slow)])


def _work_goes_on(cluster: Cluster, started: list[str]) -> None:
    """Return when the agents have done part of the work."""

    def some() -> bool | None:
        done = sum(len(effects_of(cluster.agents.url, execution_id)) for execution_id in started)
        return True if done >= EXECUTIONS else None

    eventually(some, PATIENCE)
