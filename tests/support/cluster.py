"""The whole service on real processes: stores, reference services, workers, beat; each can be killed and restarted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from celery import Celery
from kombu.exceptions import KombuError

from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from sandbox.servers.reference import reference_answers, reference_url
from tasks.settings import broker_settings
from tests.support.services import running_agent_service, running_mongodb, running_state_service, running_valkey

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-for-tests-of-at-least-32-bytes"
LEASE = timedelta(seconds=1)
SWEEP_INTERVAL = timedelta(milliseconds=300)


@dataclass(kw_only=True)
class Cluster:
    """Everything that runs, and how to reach it."""

    directory: Path
    valkey: RunningServer
    mongodb: RunningServer
    agents: RunningServer
    state: RunningServer
    broker_url: str
    web_port: int
    processes: dict[str, ServerProcess] = field(default_factory=dict)
    """Ours, by name: ``blocks``, ``control``, ``beat`` ..."""
    rabbitmq: RunningServer | None = None
    """The broker if it is not Valkey; whoever started it also ends it."""
    lease: timedelta = LEASE
    sweep_interval: timedelta = SWEEP_INTERVAL
    chance: Random = field(default_factory=lambda: Random(0))
    """Chooses which of several alike is hit by a fault."""
    struck: list[int] = field(default_factory=list)
    """The ids of the processes that faults have hit, in order."""
    struck_at: datetime | None = None
    """When the last of them was hit."""

    @property
    def broker(self) -> RunningServer:
        """The server that carries the messages.

        Raises:
            RuntimeError: only its address is known.
        """
        server = self.rabbitmq or self.valkey
        if server.url != self.broker_url:
            raise RuntimeError("The cluster was told the address of its broker, not its server.")
        return server

    @property
    def block_workers(self) -> Sequence[str]:
        """The names of the processes that work on blocks."""
        return [name for name in self.processes if name.startswith("blocks")]

    @property
    def url(self) -> str:
        """Where the API is."""
        return reference_url(self.web_port)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the service's processes are told."""
        return {
            "MONGODB_URL": self.mongodb.url, "REDIS_URL": self.valkey.url, "CELERY_BROKER_URL": self.broker_url,
            "AGENT_SERVICE_URL": self.agents.url, "STATE_SERVICE_URL": self.state.url,
            "JWT_SECRET": SECRET, "PORT": str(self.web_port), "SERVER_HOST": "127.0.0.1", "WEB_CONCURRENCY": "1",
            "WORKFLOW_LEASE_MS": str(self.lease // timedelta(milliseconds=1)),
            "WORKFLOW_SWEEP_INTERVAL_MS": str(self.sweep_interval // timedelta(milliseconds=1)),
            "PYTHONPATH": str(ROOT),
        }

    def start(self, name: str, argv: Sequence[str], is_ready: Callable[[], bool]) -> ServerProcess:
        """Start one more process of the service and return when it is ready."""
        process = ServerProcess(ServerCommand(name=name, argv=[sys.executable, "-m", *argv], is_ready=is_ready,
                                              log=self.directory / f"{name}.log", environment=self.environment))
        self.processes[name] = process
        process.start()
        return process

    def start_worker(self, name: str, queue: str, *, pool: str = "threads", concurrency: int = 8) -> ServerProcess:
        """Start a worker for a queue."""
        argv = ["celery", "-A", "tasks.app", "worker", "-Q", queue, "--pool", pool, "-c", str(concurrency),
                "-n", f"{name}@test", "--without-gossip", "--without-mingle"]
        return self.start(name, argv, lambda: _answers(self.broker_url, f"{name}@test"))

    def start_web(self) -> None:
        """Start the API."""
        self.start("web", ["gunicorn", "-c", "python:web.gunicorn", "web.wsgi:app"],
                   lambda: reference_answers(self.web_port))

    def migrate(self) -> None:
        """Create the indexes."""
        subprocess.run([sys.executable, "-m", "migrations"], env={**os.environ, **self.environment}, check=True,
                       timeout=60, stdout=subprocess.DEVNULL)

    def start_control(self) -> None:
        """Start what repairs: beat and a worker for its queue."""
        self.start_worker("control", "control", concurrency=2)
        argv = ["celery", "-A", "tasks.app", "beat", "--schedule", str(self.directory / "beat-schedule")]
        self.start("beat", argv, _Says(lambda: self.processes["beat"], "beat: Starting"))

    def stop(self) -> None:
        """End all processes that were started here."""
        for process in reversed(self.processes.values()):
            process.stop()


@contextmanager
def running_cluster(directory: Path, broker_url: str | None = None, *,
                    rabbitmq: RunningServer | None = None, lease: timedelta = LEASE,
                    sweep_interval: timedelta = SWEEP_INTERVAL,
                    redis: RunningServer | None = None, mongodb: RunningServer | None = None) -> Iterator[Cluster]:
    """Run the stores and the reference services, empty; the caller starts workers.

    Args:
        directory: where everything keeps its data and its logs.
        broker_url: of another broker; None for Valkey.
        rabbitmq: another broker whose process the faults may kill; instead of its address.
        lease: of the workers.
        sweep_interval: how often the store is looked through for what is left to do.
        redis: instead of a Valkey of its own.
        mongodb: instead of a database of its own.
    """
    if rabbitmq is not None:
        broker_url = rabbitmq.url
    with ExitStack() as stack:
        valkey = redis or stack.enter_context(running_valkey(directory))
        cluster = Cluster(directory=directory, valkey=valkey, broker_url=broker_url or valkey.url, web_port=free_port(),
                          rabbitmq=rabbitmq, lease=lease, sweep_interval=sweep_interval,
                          mongodb=mongodb or stack.enter_context(running_mongodb(directory)),
                          agents=stack.enter_context(running_agent_service(directory)),
                          state=stack.enter_context(running_state_service(directory)))
        stack.callback(cluster.stop)
        cluster.migrate()
        yield cluster


class _Says:
    """Asked whether a process that serves nobody is ready: True once it has said so since it was last seen ended."""

    def __init__(self, process: Callable[[], ServerProcess], words: str) -> None:
        self._process = process
        self._words = words
        self._before = 0

    def __call__(self) -> bool:
        process = self._process()
        said = process.logs().count(self._words)
        if not process.is_running:
            self._before = said
        return said > self._before


def _answers(broker_url: str, node: str) -> bool:
    """Say whether a worker answers a ping."""
    # a connection of its own: one of the pool may be older than the broker
    with Celery(set_as_current=False) as probe:
        probe.conf.update(broker_settings(broker_url))
        with probe.connection_for_read() as connection:
            try:
                return bool(probe.control.ping([node], timeout=0.5, connection=connection))
            except (KombuError, OSError, *connection.connection_errors, *connection.channel_errors):
                return False
