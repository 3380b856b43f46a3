"""Our two workers by the means of pytest-celery: they answer, they come back, and so does what they were sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import Celery
from pytest_celery import CeleryTestSetup
from pytest_celery.vendors.worker.tasks import ping

from tasks import names

pytestmark = pytest.mark.acceptance

PATIENCE = timedelta(seconds=30)
PATIENCE_S = int(PATIENCE.total_seconds())


def pong(app: Celery, queue: str = names.BLOCKS) -> str:
    """Return what a worker of a queue answers to a task."""
    return str(ping.s().apply_async(queue=queue).get(timeout=PATIENCE_S))


def send(app: Celery, queue: str, name: str, *ids: object) -> str:
    """Send one of our tasks, as one who waits for no result; return what the log calls it."""
    sent = app.send_task(name, ids, queue=queue, ignore_result=True)
    return f"Task {name}[{sent.id}]"


UNKNOWN_BLOCK = (names.RUN_BLOCK, "default", "unknown", "a", 1, None)
"""A message about a block that does not exist."""


def test_both_workers_answer_and_know_every_task(celery_setup: CeleryTestSetup) -> None:
    assert celery_setup.ready(ping=True, control=True, docker=True)
    nodes = {node for answer in celery_setup.app.control.ping(timeout=2) for node in answer}
    assert nodes == {"blocks@test", "control@test"}
    served = celery_setup.app.control.inspect(timeout=2).active_queues()
    assert {node: [queue["name"] for queue in queues] for node, queues in served.items()} == {
        "blocks@test": [names.BLOCKS], "control@test": [names.CONTROL]}
    known = celery_setup.app.control.inspect(timeout=2).registered_tasks()
    assert all({names.RUN_BLOCK, names.RUN_JOINED_BLOCK, *names.SWEEPS} <= set(known[node]) for node in nodes)


def test_a_message_that_nothing_stands_behind_is_worked_off(celery_setup: CeleryTestSetup) -> None:
    task = send(celery_setup.app, names.BLOCKS, *UNKNOWN_BLOCK)
    celery_setup.worker.assert_log_exists(f"{task} succeeded", timeout=PATIENCE_S)
    assert "Traceback" not in celery_setup.worker.logs()


def test_sweeps_run_beside_the_blocks(celery_setup: CeleryTestSetup) -> None:
    control = celery_setup.worker_cluster[1]
    for name in names.SWEEPS:
        task = send(celery_setup.app, names.CONTROL, name)
        control.assert_log_exists(f"{task} succeeded", timeout=PATIENCE_S)
    assert "Task sweeps." not in celery_setup.worker.logs()


def test_what_was_sent_to_a_dead_worker_is_done_by_the_next(celery_setup: CeleryTestSetup) -> None:
    celery_setup.worker.kill()
    assert celery_setup.worker.container.status == "exited"
    answer = ping.s().apply_async(queue=names.BLOCKS)
    celery_setup.worker.restart()
    assert answer.get(timeout=PATIENCE_S) == "pong"


def test_workers_come_back_to_a_broker_that_was_killed(celery_setup: CeleryTestSetup) -> None:
    assert pong(celery_setup.app) == "pong"
    celery_setup.broker.kill()
    celery_setup.broker.restart()
    for worker in celery_setup.worker_cluster:
        worker.assert_log_exists("Connection to broker lost", timeout=PATIENCE_S)
        assert pong(celery_setup.app, worker.worker_queue) == "pong"


def test_a_worker_outlives_its_result_backend(celery_setup: CeleryTestSetup) -> None:
    celery_setup.backend.kill()
    task = send(celery_setup.app, names.BLOCKS, *UNKNOWN_BLOCK)
    celery_setup.worker.assert_log_exists(f"{task} succeeded", timeout=PATIENCE_S)
    celery_setup.backend.restart()
    assert pong(celery_setup.app) == "pong"
