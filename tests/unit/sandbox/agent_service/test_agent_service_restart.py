"""The reference service killed and started again: what it promised still holds."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from sandbox.agent_service.instance_lock import DirectoryInUse, lock_directory
from sandbox.servers.process import RunningServer
from tests.support.services import running_agent_service
from tests.unit.sandbox.agent_service.conftest import PATIENCE_SECONDS, is_running, until

SCRIPT = """
import json, os, sys, time
given = json.load(sys.stdin)
with open(given["file"], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(given["seconds"])
with open(given["file"], "a") as file:
    file.write("done\\n")
print("{}")
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningServer]:
    """Run the service with an echo agent and a script agent that takes its time."""
    (tmp_path / "linger.py").write_text(SCRIPT)
    agent = {"version": "1", "name": "A", "toolTypes": ["script"], "capabilities": []}
    registry = tmp_path / "registry.yaml"
    registry.write_text(yaml.safe_dump({"agents": [
        {**agent, "agentId": "echo", "type": "echo"},
        {**agent, "agentId": "linger", "type": "trial", "tool": {"script": {"file": "linger.py"}}}]}))
    with running_agent_service(tmp_path, registry) as server:
        yield server


def test_keys_outlive_a_kill_and_running_work_fails(service: RunningServer, tmp_path: Path) -> None:
    _start(service, "echo", "done", {"a": 1})
    _start_and_lose(service, "echo", "lost", {"delayMs": 60_000})
    service.process.kill()
    service.process.start()
    again = _start(service, "echo", "done", {"a": 1})
    assert (again.json()["output"], again.headers["Idempotency-Replayed"]) == ({"a": 1}, "true")
    lost = _find(service, "echo", "lost")
    assert (lost["status"], lost["error"]["code"], lost["error"]["class"]) == ("failed", "agent_restarted", "transient")
    assert _start(service, "echo", "lost", {"delayMs": 1}).status_code == 200
    assert _effects(service) == [("done", "completed"), ("lost", "failed"), ("lost", "completed")]


def test_a_tombstone_outlives_a_kill(service: RunningServer) -> None:
    requests.delete(f"{service.url}/agents/echo/executions/k", timeout=PATIENCE_SECONDS)
    service.process.kill()
    service.process.start()
    assert _start(service, "echo", "k", {}).status_code == 409


def test_a_script_dies_with_the_service(service: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "log"
    given = {"file": str(file), "seconds": 4}
    _start_and_lose(service, "linger", "k", given)
    until(file.exists)
    until(lambda: file.read_text().endswith("\n"))
    service.process.kill()
    first = int(file.read_text().split()[0])
    until(lambda: not is_running(first))
    service.process.start()
    assert _start(service, "linger", "k", {**given, "seconds": 0}).status_code == 200
    assert len(file.read_text().split()) == 3  # both scripts began, only the second came to its end


@pytest.mark.parametrize("victim", ["parent", "worker"])
def test_a_kill_of_one_process_of_the_service(service: RunningServer, victim: str) -> None:
    _start_and_lose(service, "echo", "lost", {"delayMs": 60_000})
    worker = int(re.findall(r"Booting worker with pid: ([0-9]+)", service.process.logs())[-1])
    os.kill(service.process.pid if victim == "parent" else worker, signal.SIGKILL)
    if victim == "parent":
        until(lambda: not is_running(worker))
        service.process.start()
    until(lambda: _answers(service) and _find(service, "echo", "lost")["status"] == "failed")
    assert _start(service, "echo", "lost", {}).status_code == 200
    assert _effects(service) == [("lost", "failed"), ("lost", "completed")]


def test_a_stop_does_not_wait_for_the_work(service: RunningServer) -> None:
    _start_and_lose(service, "echo", "lost", {"delayMs": 60_000})
    began = time.monotonic()
    service.process.stop()
    assert time.monotonic() - began < 9
    service.process.start()
    assert _find(service, "echo", "lost")["status"] == "failed"


def test_two_services_do_not_share_a_directory(tmp_path: Path) -> None:
    held = lock_directory(tmp_path / "new", wait_seconds=0)
    with pytest.raises(DirectoryInUse, match="new"):
        lock_directory(tmp_path / "new", wait_seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lock_directory, tmp_path / "new", PATIENCE_SECONDS)
        held.close()
        waiting.result(PATIENCE_SECONDS).close()


def test_a_wrong_registry_keeps_the_service_from_starting(tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text("agents: [{agentId: a1}]")
    with pytest.raises(Exception, match="'a1': 'name' is a required property"):
        running_agent_service(tmp_path, registry).__enter__()


def _start(service: RunningServer, agent: str, key: str, given: dict[str, Any]) -> requests.Response:
    return requests.post(
        f"{service.url}/agents/{agent}/executions", headers={"Idempotency-Key": key}, timeout=PATIENCE_SECONDS,
        json={"workspaceId": "w", "executionId": "e", "blockId": "b", "toolType": "script", "input": given,
              "timeoutMs": 50_000})


def _start_and_lose(service: RunningServer, agent: str, key: str, given: dict[str, Any]) -> None:
    """Start work whose answer will not come, and return when it is under way."""
    def start() -> None:
        try:
            _start(service, agent, key, given)
        except requests.RequestException:
            pass  # the service is killed before it answers

    threading.Thread(target=start, daemon=True).start()
    until(lambda: (key, "running") in _effects(service))


def _find(service: RunningServer, agent: str, key: str) -> dict[str, Any]:
    answer = requests.get(f"{service.url}/agents/{agent}/executions/{key}", timeout=PATIENCE_SECONDS)
    found: dict[str, Any] = answer.json()
    return found


def _effects(service: RunningServer) -> list[tuple[str, str]]:
    answer = requests.get(f"{service.url}/effects", timeout=PATIENCE_SECONDS)
    return [(effect["key"], effect["status"]) for effect in answer.json()["effects"]]


def _answers(service: RunningServer) -> bool:
    try:
        return requests.get(f"{service.url}/health", timeout=1).ok
    except requests.RequestException:
        return False
