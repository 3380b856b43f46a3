"""Every setting that keeps work from being lost, doubled or stuck. Without one of them nothing fails until something is
killed, so each is held here by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tasks import names
from tasks.app import app
from tasks.settings import celery_settings
from tests.tasks.nowhere import NOWHERE
from workflow_service.config import load_settings

AMQP = {"CELERY_BROKER_URL": "amqp://u:p@rabbit:5672//"}
LONGEST_PUBLISH_S = 10
"""A request waits for no broker longer than this."""


def settings(**changes: str) -> dict[str, Any]:
    """Return the configuration that an environment gives."""
    return celery_settings(load_settings({**NOWHERE, **changes}))


@pytest.mark.parametrize(("name", "value"), [
    pytest.param("task_acks_late", True, id="a message is kept until its work is done"),
    pytest.param("task_reject_on_worker_lost", True, id="and comes back when its worker is killed"),
    pytest.param("task_acks_on_failure_or_timeout", True, id="but not for ever"),
    pytest.param("worker_prefetch_multiplier", 1, id="no worker hoards messages"),
    pytest.param("worker_enable_prefetch_count_reduction", False,
                 id="a pool thread never reads the connection of the main thread"),
    pytest.param("worker_cancel_long_running_tasks_on_connection_loss", False, id="work outlives its broker"),
    pytest.param("broker_connection_retry_on_startup", True, id="a worker may start before its broker"),
    pytest.param("broker_connection_max_retries", None, id="and never gives it up"),
    pytest.param("broker_channel_error_retry", True, id="a message that was kept too long ends no worker"),
    pytest.param("worker_consumer", "tasks.consumer:CheckingConsumer", id="servers are looked at before work"),
    pytest.param("broker_heartbeat", 30, id="a connection that died without a word is noticed"),
    pytest.param("task_publish_retry", True, id="without retries a publish on a dead connection hangs"),
    pytest.param("task_ignore_result", True, id="outcomes are in the store"),
    pytest.param("result_expires", timedelta(hours=1), id="what chords count does not stay"),
    pytest.param("task_serializer", "json", id="no pickle in messages"),
    pytest.param("result_serializer", "json", id="nor in results"),
    pytest.param("accept_content", ["json"], id="nor from others"),
    pytest.param("worker_send_task_events", True, id="Flower sees the tasks"),
    pytest.param("task_default_queue", "blocks", id="the queue of blocks"),
    pytest.param("timezone", "UTC", id="one time zone"),
])
@pytest.mark.parametrize("broker", [pytest.param({}, id="redis"), pytest.param(AMQP, id="amqp")])
def test_setting(broker: dict[str, str], name: str, value: object) -> None:
    assert settings(**broker)[name] == value


@pytest.mark.parametrize("name", ["task_soft_time_limit", "task_time_limit", "worker_soft_shutdown_timeout"])
def test_what_does_nothing_with_threads_is_not_set(name: str) -> None:
    assert name not in settings()


@pytest.mark.parametrize("name", ["socket_timeout", "socket_connect_timeout", "socket_keepalive",
                                  "health_check_interval", "unacked_restore_interval", "unacked_restore_throttle"])
def test_redis_is_never_waited_for_without_bound(name: str) -> None:
    assert settings()["broker_transport_options"][name]


def test_redis_gives_messages_of_lost_workers_back_within_seconds() -> None:
    options = settings()["broker_transport_options"]
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10


def test_redis_takes_nobody_for_lost_before_the_lease_does() -> None:
    given = settings(CELERY_VISIBILITY_TIMEOUT_MS="61000", WORKFLOW_LEASE_MS="60000")
    assert given["broker_transport_options"]["visibility_timeout"] == 61


def test_rabbitmq_is_never_waited_for_without_bound() -> None:
    options = settings(**AMQP)["broker_transport_options"]
    assert options["confirm_publish"]
    assert 0 < options["read_timeout"] <= LONGEST_PUBLISH_S
    assert 0 < options["write_timeout"] <= LONGEST_PUBLISH_S
    assert "visibility_timeout" not in options


@pytest.mark.parametrize(("broker", "name"), [({}, "socket_timeout"), (AMQP, "read_timeout")])
def test_a_publish_to_a_frozen_broker_ends(broker: dict[str, str], name: str) -> None:
    # the first attempt, and then kombu connects once more often than it retries
    given = settings(**broker)
    attempts = 1 + given["task_publish_retry_policy"]["max_retries"] + 1
    assert attempts * given["broker_transport_options"][name] < LONGEST_PUBLISH_S


def test_results_are_counted_in_redis_whatever_the_broker_is() -> None:
    assert settings(**AMQP)["result_backend"] == NOWHERE["REDIS_URL"]
    assert settings(**AMQP)["broker_url"] == AMQP["CELERY_BROKER_URL"]
    assert settings()["broker_url"] == NOWHERE["REDIS_URL"]
    bounded = ("redis_socket_timeout", "redis_socket_connect_timeout", "redis_backend_health_check_interval")
    assert all(settings()[name] for name in bounded)
    assert settings()["result_backend_transport_options"]["retry_policy"]["max_retries"] == 1


@pytest.mark.parametrize(("name", "options", "others"), [
    ("CELERY_BROKER_URL", "broker_transport_options", "result_backend_transport_options"),
    ("CELERY_RESULT_BACKEND", "result_backend_transport_options", "broker_transport_options")])
def test_only_who_asks_sentinels_is_told_the_name_of_the_master(name: str, options: str, others: str) -> None:
    given = settings(**{name: "sentinel://a:26379/0"}, CELERY_SENTINEL_MASTER="main")
    assert given[options]["master_name"] == "main" and "master_name" not in given[others]
    assert len(given[options]) == len(settings()[options]) + 1


def test_rabbitmq_keeps_messages_in_quorum_queues_and_drops_none_that_was_not_given_back_often() -> None:
    queues = {queue.name: queue.queue_arguments for queue in settings(**AMQP)["task_queues"]}
    assert set(queues) == {names.BLOCKS, names.CONTROL}
    for arguments in queues.values():
        assert arguments["x-queue-type"] == "quorum"
        assert arguments["x-delivery-limit"] > load_settings(NOWHERE).workflow.max_lost_leases
        assert arguments["x-consumer-timeout"] > 60_000
    assert "task_queues" not in settings()


def test_rabbitmq_has_every_queue_that_a_template_may_name_and_makes_no_other() -> None:
    given = settings(**AMQP, WORKFLOW_QUEUES="gpu,slow")
    assert [queue.name for queue in given["task_queues"]] == ["blocks", "gpu", "slow", names.CONTROL]
    assert {queue.queue_arguments["x-queue-type"] for queue in given["task_queues"]} == {"quorum"}
    assert given["task_create_missing_queues"] is False


def test_beat_sends_every_sweep_as_often_as_it_is_set() -> None:
    schedule = settings(WORKFLOW_SWEEP_INTERVAL_MS="4000")["beat_schedule"]
    assert {entry["task"] for entry in schedule.values()} == set(names.SWEEPS)
    assert {entry["schedule"].run_every for entry in schedule.values()} == {timedelta(seconds=4)}


def test_no_sweep_expires_for_whoever_has_another_clock() -> None:
    assert not any("expires" in entry.get("options", {}) for entry in settings()["beat_schedule"].values())


def test_sweeps_go_to_a_queue_of_their_own() -> None:
    for name in names.SWEEPS:
        assert app.amqp.router.route({}, name)["queue"].name == names.CONTROL


@pytest.mark.parametrize("name", [names.RUN_BLOCK, names.RUN_JOINED_BLOCK])
def test_blocks_go_to_the_queue_of_blocks(name: str) -> None:
    assert app.amqp.router.route({}, name)["queue"].name == names.BLOCKS


def test_every_name_has_its_task_and_only_joined_blocks_keep_a_result() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(ours) >= {names.RUN_BLOCK, names.RUN_JOINED_BLOCK, *names.SWEEPS}
    assert [name for name in ours if not ours[name].ignore_result and name.startswith(("blocks.", "sweeps."))] == [
        names.RUN_JOINED_BLOCK]
