"""Celery's configuration, each value with its reason; most were measured under killed workers and brokers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tasks import names
from tasks.beat import Every
from workflow_service.config import Settings

_CONNECT_S = 3
_SOCKET_S = 3


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the Celery app."""
    return {
        "broker_url": settings.celery.broker_url,
        "result_backend": settings.celery.result_backend,
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
        "broker_transport_options": _broker_options(settings),
        "result_backend_transport_options": {"retry_policy": {"max_retries": 1, "interval_start": 0,
                                                              "interval_step": 0.2, "interval_max": 0.5}},
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
        "socket_timeout": _SOCKET_S,
        "socket_connect_timeout": _CONNECT_S,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
