"""A worker looks at its servers before it works, and refuses those that would lose what it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis

from tasks.server_check import eviction_fault
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
