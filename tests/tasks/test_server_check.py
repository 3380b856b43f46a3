"""A worker looks at its servers before it works, and refuses those that would lose what it is sent.

The API asks whether the broker answers.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis import Redis

from tasks.dispatch import CeleryDispatcher
from tasks.server_check import ask_broker, eviction_fault
from tests.support.services import running_valkey
from tests.tasks.nowhere import NOWHERE

PATIENCE_S = 60
BOUND = 1_000_000


@pytest.mark.parametrize(("memory", "is_refused"), [
    ({"maxmemory": BOUND, "maxmemory_policy": "noeviction"}, False),
    ({"maxmemory": BOUND, "maxmemory_policy": "allkeys-lru"}, True),
    ({"maxmemory": BOUND, "maxmemory_policy": "allkeys-random"}, True),
    pytest.param({"maxmemory": BOUND, "maxmemory_policy": "volatile-lru"}, False, id="only what expires"),
    pytest.param({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, False, id="its memory is never full"),
    pytest.param({}, False, id="it does not say"),
])
def test_who_drops_any_key_is_refused(memory: Mapping[str, object], is_refused: bool) -> None:
    fault = eviction_fault("The broker", memory)
    assert (fault is not None) is is_refused
    assert fault is None or ("noeviction" in fault and str(memory["maxmemory_policy"]) in fault)


OPTIONS = {"amqp": {"read_timeout": 0.2, "write_timeout": 0.2}, "redis": {"socket_timeout": 0.2}}


def ask(*addresses: str) -> None:
    """Ask the broker at these addresses."""
    options: dict[str, Any] = OPTIONS[addresses[0].partition(":")[0]]
    with Connection(";".join(addresses), connect_timeout=0.2, transport_options=options) as connection:
        ask_broker(connection)


@pytest.mark.parametrize("scheme", OPTIONS)
def test_a_broker_that_is_away_or_says_nothing_does_not_answer(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (9, silent.getsockname()[1]):
            with pytest.raises(OperationalError):
                ask(f"{scheme}://127.0.0.1:{port}//")


@pytest.mark.acceptance
def test_a_broker_answers_at_any_of_its_addresses(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as server:
        ask(server.url)
        ask("redis://127.0.0.1:9/0", server.url)


def test_the_dispatcher_asks_the_broker_that_it_sends_to() -> None:
    with pytest.raises(OperationalError, match="refused"):
        CeleryDispatcher().ping()


@pytest.mark.acceptance
def test_a_worker_ends_at_its_start_and_says_why(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as server:
        with Redis.from_url(server.url) as client:
            client.config_set("maxmemory", "50mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
        worker = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "tasks.app", "worker", "-Q", "blocks", "--pool", "threads",
             "--concurrency", "1", "--without-gossip", "--without-mingle"],
            env={**os.environ, **NOWHERE, "REDIS_URL": server.url}, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False)
    assert worker.returncode == os.EX_CONFIG, worker.stdout
    assert "Set its maxmemory-policy to noeviction" in worker.stdout
    assert "Traceback" not in worker.stdout and " ready." not in worker.stdout
