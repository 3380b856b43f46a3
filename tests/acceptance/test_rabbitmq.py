"""RabbitMQ as the broker: what a killed worker or broker does, and that its limits do no harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from amqp.exceptions import NotFound
from celery import Celery
from kombu.entity import Queue

from sandbox.servers.process import RunningServer
from tasks import names
from tasks.queues import DELIVERY_LIMIT
from tasks.server_check import broker_fault
from tasks.settings import broker_settings
from tests.support.cluster import Cluster, running_cluster
from tests.support.driver import Driver, effects_of, eventually
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.records import reading_records
from tests.support.scenarios import echo, template
from workflow_service.domain.invariants import violations

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=60)
EXECUTIONS = 10
BLOCKS = 6
LIMITS = "consumer_timeout = 2000\n"
"""A worker that keeps a message for two seconds loses its channel; by default it is half an hour."""
LONGER_MS = 5000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A RabbitMQ of our own."""
    require_rabbitmq()
    with running_rabbitmq(tmp_path_factory.mktemp("broker"), configuration=LIMITS) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, broker: RunningServer) -> Iterator[Cluster]:
    """A running service on it; chords are counted in Valkey."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), broker.url) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_control()
        yield running


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


def test_readiness_shows_the_broker_and_does_not_depend_on_it(cluster: Cluster, broker: RunningServer) -> None:
    assert _readiness(cluster)["broker"] is True
    broker.process.kill()
    assert _readiness(cluster) == {**dict.fromkeys(
        ("mongodb", "redis", "agent_service", "state_service"), True), "broker": False}
    broker.process.start()
    eventually(lambda: _readiness(cluster)["broker"] or None, PATIENCE)


def test_a_block_may_take_longer_than_the_broker_waits_for_its_message(driver: Driver, cluster: Cluster) -> None:
    # Given
    worker = cluster.processes["blocks"]
    pid = worker.pid
    driver.store(template("long", [echo("long", configuration={"delayMs": LONGER_MS}), echo("end", ["long"])]))
    # When
    started = driver.start("long")
    assert driver.ended(started, PATIENCE)["status"] == "completed"
    # Then
    assert "delivery acknowledgement" in worker.logs()
    assert worker.is_running and worker.pid == pid
    assert Counter(_effects(cluster, [started])).most_common(1)[0][1] == 1


def test_a_message_that_is_dropped_at_the_delivery_limit_is_sent_again(driver: Driver, cluster: Cluster) -> None:
    # Given
    driver.store(template("dropped", [echo("only")]))
    cluster.processes["blocks"].kill()
    started = driver.start("dropped")
    # When
    deliveries = _give_back_until_dropped(cluster)
    cluster.processes["blocks"].start()
    # Then
    assert deliveries == DELIVERY_LIMIT + 1
    assert driver.ended(started, PATIENCE)["status"] == "completed"


def test_a_queue_of_another_kind_is_refused_by_name(broker: RunningServer) -> None:
    with Celery(set_as_current=False) as app, app.connection_for_write(broker.url) as connection:
        Queue("old", channel=connection.default_channel).declare()
        app.conf.task_queues = [Queue("old", queue_arguments={"x-queue-type": "quorum"})]
        fault = broker_fault(connection, app)
    assert fault is not None and "has a queue old" in fault and "rabbitmqctl delete_queue" in fault


def test_the_queues_are_kept_by_a_quorum_and_no_others_are_made(broker: RunningServer) -> None:
    with Celery(set_as_current=False) as app:
        app.conf.update(broker_settings(broker.url))
        with app.connection_for_write() as connection:
            assert broker_fault(connection, app) is None
            with pytest.raises(NotFound):
                connection.channel().queue_declare("celery_delayed_0", passive=True)


def _readiness(cluster: Cluster) -> dict[str, bool]:
    answer = requests.get(f"{cluster.url}/ready", timeout=PATIENCE.total_seconds())
    assert answer.status_code == 200
    found: dict[str, bool] = answer.json()["dependencies"]
    return found


def _give_back_until_dropped(cluster: Cluster) -> int:
    """Take the first message and give it back until it does not come any more; return how often it came."""
    with Celery(set_as_current=False) as app:
        app.conf.update(broker_settings(cluster.broker_url))
        with app.connection_for_read() as connection:
            channel = connection.channel()
            first = eventually(lambda: channel.basic_get(names.BLOCKS), PATIENCE)
            came = 1
            channel.basic_reject(first.delivery_tag, requeue=True)
            while came <= DELIVERY_LIMIT:  # the sweep has sent others meanwhile, which stay behind it
                message = eventually(lambda: channel.basic_get(names.BLOCKS), PATIENCE)
                came += message.properties["correlation_id"] == first.properties["correlation_id"]
                channel.basic_reject(message.delivery_tag, requeue=True)
            last = channel.basic_get(names.BLOCKS)
            assert last is None or last.properties["correlation_id"] != first.properties["correlation_id"]
            return came


def _slow_blocks() -> list[dict[str, object]]:
    """A line, a fan-out and a join, slow enough to be caught in the act."""
    slow: dict[str, Any] = {"configuration": {"delayMs": 50}}
    return [echo("begin", **slow), *(echo(name, ["begin"], **slow) for name in ("left", "middle", "right")),
            echo("join", ["left", "middle", "right"], **slow), echo("end", ["join"], **slow)]


def _effects(cluster: Cluster, executions: list[str]) -> list[str]:
    return [str(effect["key"]) for execution_id in executions
            for effect in effects_of(cluster.agents.url, execution_id)]
