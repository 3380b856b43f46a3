"""The servers that all modes share, and the processes of each mode."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from celery import Celery
from kombu.exceptions import KombuError

from benchmarks.engine import addresses
from benchmarks.engine.driving import RemoteDriver
from benchmarks.engine.modes import MODES, Mode
from sandbox.servers.mongodb import mongodb_server, mongodb_url
from sandbox.servers.ports import free_port
from sandbox.servers.process import ServerCommand, ServerProcess
from sandbox.servers.reference import reference_answers, reference_server, reference_url
from sandbox.servers.valkey import valkey_server, valkey_url

_MIGRATED_WITHIN = timedelta(minutes=1)
_SETTINGS = {"WORKFLOW_LEASE_MS": "30000", "WORKFLOW_SWEEP_INTERVAL_MS": "5000", "WEB_CONCURRENCY": "2",
             "LLM_SERVICE_URL": "http://127.0.0.1:9", "SERVER_HOST": "127.0.0.1"}
"""As in production."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the shared servers are."""

    folder: Path
    valkey_port: int
    mongodb_port: int
    agents_port: int
    slow_agents_port: int
    state_port: int
    processes: Mapping[str, ServerProcess]

    @property
    def valkey_url(self) -> str:
        """The address of the first database of Valkey."""
        return valkey_url(self.valkey_port)

    def broker_url(self, mode: Mode) -> str:
        """Return a database of Valkey of the mode's own."""
        return f"{self.valkey_url.rpartition('/')[0]}/{1 + list(MODES).index(mode.name)}"

    def store_url(self, mode: Mode) -> str:
        """Return a database of the mode's own."""
        return mongodb_url(self.mongodb_port, f"benchmark_{mode.name.replace('-', '_')}")


@contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Run the servers from entry to exit."""
    ports = [free_port() for _ in range(5)]
    made = {name: folder / name for name in ("valkey", "mongodb", "agents", "state", "workspace")}
    for one in made.values():
        one.mkdir()
    processes = {
        "valkey": valkey_server(ports[0], made["valkey"]), "mongodb": mongodb_server(ports[1], made["mongodb"]),
        "agents": reference_server("sandbox.agent_service", ports[2], made["agents"], {
            "AGENT_SERVICE_DATA": str(made["agents"]), "AGENT_WORKSPACE_DIR": str(made["workspace"]),
            "AGENT_REGISTRY": ""}),
        "state": reference_server("sandbox.state_service", ports[3], made["state"],
                                  {"STATE_SERVICE_DATA": str(made["state"])}),
        "slow-agents": ServerProcess(ServerCommand(
            name="slow agents", environment={},
            argv=[sys.executable, "-m", "benchmarks.engine.slow_agents", str(ports[4])],
            is_ready=lambda: reference_answers(ports[4]), log=folder / "slow-agents.log"))}
    with ExitStack() as stack:
        for process in processes.values():
            stack.enter_context(process)
        yield Servers(folder=folder, valkey_port=ports[0], mongodb_port=ports[1], agents_port=ports[2],
                      state_port=ports[3], slow_agents_port=ports[4], processes=processes)


@dataclass(kw_only=True)
class RunningMode:
    """The processes of a mode."""

    mode: Mode
    driver: RemoteDriver
    processes: dict[str, ServerProcess] = field(default_factory=dict)
    """Its workers, and all else that runs for it."""

    @property
    def pids(self) -> Mapping[str, int]:
        """The first process of each part, by its name."""
        return {name: process.pid for name, process in self.processes.items()}


@contextmanager
def running_mode(servers: Servers, mode: Mode, counts: Path | None = None) -> Iterator[RunningMode]:
    """Run the workers of a mode and its driver from entry to exit.

    Args:
        counts: a folder for counts of operations; None to count nothing.
    """
    environment, web_port = _environment(servers, mode, counts), free_port()
    environment |= {addresses.WEB: reference_url(web_port), "PORT": str(web_port)}
    if mode.is_ours:
        subprocess.run([sys.executable, "-m", "migrations"], env=environment, check=True, stdout=subprocess.DEVNULL,
                       timeout=_MIGRATED_WITHIN.total_seconds())
    with ExitStack() as stack:
        processes = {}
        for command in _commands(servers, mode, environment, None if counts else web_port):
            processes[command.name] = stack.enter_context(ServerProcess(command))
        driver = stack.enter_context(RemoteDriver(mode.driver, {**environment, addresses.DRIVES: "1"},
                                                  servers.folder / f"{mode.name}-driver.log"))
        yield RunningMode(mode=mode, driver=driver, processes=processes)


def _environment(servers: Servers, mode: Mode, counts: Path | None) -> dict[str, str]:
    broker, store = servers.broker_url(mode), servers.store_url(mode)
    own = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return {**own, **_SETTINGS, "MONGODB_URL": store, "REDIS_URL": broker, "CELERY_BROKER_URL": broker,
            "AGENT_SERVICE_URL": reference_url(_agents_port(servers, mode)), "JWT_SECRET": secrets.token_hex(32),
            "STATE_SERVICE_URL": reference_url(servers.state_port), addresses.BROKER: broker, addresses.STORE: store,
            **({} if counts is None else {addresses.COUNTS: str(counts)}), **mode.environment}


def _agents_port(servers: Servers, mode: Mode) -> int:
    return servers.slow_agents_port if mode.environment.get(addresses.AGENT) == "slow" else servers.agents_port


def _commands(servers: Servers, mode: Mode, environment: Mapping[str, str],
              web_port: int | None) -> Iterator[ServerCommand]:
    """Yield the commands of a mode's processes.

    Args:
        web_port: of the API; None to leave out what is not about blocks: the API and repair.
    """
    def command(name: str, argv: list[str], is_ready: Callable[[], bool]) -> ServerCommand:
        return ServerCommand(name=name, argv=[sys.executable, "-m", *argv], is_ready=is_ready, environment=environment,
                             log=servers.folder / f"{mode.name}-{name}.log")

    def worker(name: str, queue: str, pool: Sequence[str]) -> ServerCommand:
        node = f"{name}@benchmark"
        argv = ["celery", "--app", mode.app, "worker", "--queues", queue, *pool, "--hostname", node,
                "--without-gossip", "--without-mingle"]
        return command(name, argv, lambda: _answers(servers.broker_url(mode), node))

    for number in range(mode.nodes):
        yield worker(f"worker{number + 1}", mode.queue, mode.pool)
    if mode.is_whole and web_port is not None:
        yield worker("control", "control", ("--pool", "threads", "--concurrency", "2"))
        beat = servers.folder / f"{mode.name}-beat.log"
        yield command("beat", ["celery", "--app", mode.app, "beat", "--scheduler", "celery.beat:Scheduler",
                               "--pidfile="],
                      lambda: beat.exists() and b"beat: Starting" in beat.read_bytes())
        yield command("web", ["gunicorn", "--config", "python:web.gunicorn", "web.wsgi:app"],
                      lambda: reference_answers(web_port))


def _answers(broker_url: str, node: str) -> bool:
    """Say whether a worker answers a ping."""
    with Celery(broker=broker_url, set_as_current=False) as probe:
        with probe.connection_for_read() as connection:
            try:
                return bool(probe.control.ping([node], timeout=0.5, connection=connection))
            except (KombuError, OSError, *connection.connection_errors, *connection.channel_errors):
                return False
