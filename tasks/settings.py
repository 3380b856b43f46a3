"""Celery's configuration, each value with its reason; most were measured under killed workers and brokers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tasks import names
from tasks.beat import Every
from tasks.priorities import HIGHEST_FIRST
from tasks.queues import rabbitmq_queues
from tasks.tls import for_amqp, for_redis
from workflow_service.config import Settings
from workflow_service.config.tls import split_tls

_CONNECT_S = 3
_SOCKET_S = 3


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the Celery app."""
    return {
        **broker_settings(settings.celery.broker_url, settings.workflow.queues),
        **_results(settings.celery.result_backend),
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": names.BLOCKS,
        "task_routes": {"sweeps.*": {"queue": names.CONTROL}},
        # a message is taken off the queue only when its work is done, and given back when its worker is lost
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        # outcomes are in the store; only chords need (tiny) results, for counting
        "task_ignore_result": True,
        "result_expires": timedelta(hours=1),
        # publishing is best effort and bounded: a request never hangs on a dead broker
        "task_publish_retry": True,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        "broker_pool_limit": 30,
        "broker_connection_timeout": _CONNECT_S,
        # RabbitMQ: a connection that died without a word is noticed within a minute, not within four
        "broker_heartbeat": 30,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # RabbitMQ closes the channel of whoever keeps a message too long: the worker connects again and goes on
        "broker_channel_error_retry": True,
        # what it would serve, messages for later, is not used: such waits are in the store
        "worker_consumer": "tasks.consumer:CheckingConsumer",
        "broker_transport_options": _broker_options(settings),
        "result_backend_transport_options": {
            "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
            **_master(settings.celery.result_backend, settings)},
        "redis_socket_timeout": _SOCKET_S,
        "redis_socket_connect_timeout": _CONNECT_S,
        "redis_socket_keepalive": True,
        "redis_backend_health_check_interval": 15,
        "redis_retry_on_timeout": False,
        # with the threads pool: what runs when the worker is told to end may end
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # the reduction talks to RabbitMQ from a thread of the pool, and after a restart waits there for ever
        "worker_enable_prefetch_count_reduction": False,
        "worker_max_tasks_per_child": 500,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "timezone": "UTC",
        "beat_schedule": beat_schedule(settings.workflow.sweep_interval),
        "beat_max_loop_interval": 1,
    }


def broker_settings(address: str, queues: Sequence[str] = (names.BLOCKS,)) -> dict[str, Any]:
    """Return where the broker is and how it is spoken to.

    Args:
        queues: those of block work.
    """
    plain, tls = split_tls(address)
    is_rabbitmq = plain.startswith("amqp")
    # Celery takes the environment's CELERY_BROKER_URL before "broker_url", but not before the other two
    given: dict[str, Any] = {"broker_url": plain, "broker_read_url": plain, "broker_write_url": plain}
    if is_rabbitmq:
        given["task_queues"] = rabbitmq_queues(queues)
        # a queue that nobody declared would come to be as one of another kind, which can't be changed
        given["task_create_missing_queues"] = False
    if tls is not None:
        given["broker_use_ssl"] = for_amqp(tls) if is_rabbitmq else for_redis(tls)
    return given


def _results(address: str) -> dict[str, Any]:
    """Return where ended tasks are counted."""
    plain, tls = split_tls(address)
    return {"result_backend": plain, **({} if tls is None else {"redis_backend_use_ssl": for_redis(tls)})}


def beat_schedule(every: timedelta) -> dict[str, Any]:
    """Return the schedule of the sweeps."""
    return {name: {"task": name, "schedule": Every(every)} for name in names.SWEEPS}


def _broker_options(settings: Settings) -> dict[str, Any]:
    if settings.celery.broker_url.startswith("amqp"):
        return {"confirm_publish": True, "read_timeout": _SOCKET_S, "write_timeout": _SOCKET_S}
    return {
        "visibility_timeout": settings.celery.visibility_timeout.total_seconds(),
        # messages of lost workers are looked for each 5 s, not each 100 s
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # one list for each priority; Flower adds them up
        "priority_steps": list(HIGHEST_FIRST),
        "socket_timeout": _SOCKET_S,
        "socket_connect_timeout": _CONNECT_S,
        "socket_keepalive": True,
        "health_check_interval": 15,
        **_master(settings.celery.broker_url, settings),
    }


def _master(address: str, settings: Settings) -> dict[str, Any]:
    """Return what sentinels are asked for, if the address names sentinels."""
    return {"master_name": settings.celery.sentinel_master} if address.startswith("sentinel:") else {}
