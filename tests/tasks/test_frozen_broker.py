"""Nobody who uses the API notices that the broker does not answer: the store is written, and work goes on later."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from signal import SIGCONT, SIGSTOP

import pytest

from tests.support.celery_nodes import LocalBroker
from tests.support.cluster import SECRET, Cluster
from tests.support.driver import Driver, eventually
from tests.support.scenarios import echo, gate, template

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)
CALLS = 20
BOUND = timedelta(seconds=5)
"""For all calls together. Publishing to a frozen broker takes nine seconds, and three for each of those that follow."""


@pytest.fixture
def driver(cluster: Cluster) -> Driver:
    """A user whose API has a broker and whose workers wait for work."""
    cluster.start_web()
    cluster.start_worker("blocks", "blocks")
    driver = Driver(cluster.url, SECRET)
    driver.store(template("one", [echo("a")]))
    driver.store(template("asked", [gate("a", [])]))
    assert driver.ended(driver.start("one"), PATIENCE)["status"] == "completed"
    return driver


def calls_during(fault: Callable[[], None], driver: Driver) -> list[str]:
    """Start executions and answer an approval while the broker is away; return the executions."""
    asked = driver.start("asked")
    eventually(lambda: driver.pending(asked) or None, PATIENCE)
    fault()
    since = time.monotonic()
    started = [driver.start("one") for _ in range(CALLS)]
    driver.approve(asked, PATIENCE, marker="yes")
    assert time.monotonic() - since < BOUND.total_seconds()
    return [asked, *started]


def test_a_broker_that_is_frozen_gets_everything_when_it_thaws(driver: Driver, celery_broker: LocalBroker) -> None:
    executions = calls_during(lambda: celery_broker.container.kill(SIGSTOP), driver)
    celery_broker.container.kill(SIGCONT)
    assert {driver.ended(one, PATIENCE)["status"] for one in executions} == {"completed"}


def test_what_a_broker_that_is_gone_does_not_get_is_swept(cluster: Cluster, driver: Driver,
                                                          celery_broker: LocalBroker) -> None:
    executions = calls_during(celery_broker.kill, driver)
    celery_broker.restart()
    cluster.start_control()
    assert {driver.ended(one, PATIENCE)["status"] for one in executions} == {"completed"}
