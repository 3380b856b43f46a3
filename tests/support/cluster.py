"""The whole service on real processes: stores, reference services, workers, beat; each can be killed and restarted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from celery import Celery
from kombu.exceptions import KombuError

from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from sandbox.servers.reference import reference_answers, reference_url
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
            "WORKFLOW_LEASE_MS": str(LEASE // timedelta(milliseconds=1)),
            "WORKFLOW_SWEEP_INTERVAL_MS": str(SWEEP_INTERVAL // timedelta(milliseconds=1)),
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
        self.start("beat", argv, lambda: self.processes["beat"].is_running)

    def stop(self) -> None:
        """End all processes that were started here."""
        for process in reversed(self.processes.values()):
            process.stop()


@contextmanager
def running_cluster(directory: Path, broker_url: str | None = None) -> Iterator[Cluster]:
    """Run the stores and the reference services, empty; the caller starts workers.

    Args:
        broker_url: of another broker; None for Valkey.
    """
    with ExitStack() as stack:
        valkey = stack.enter_context(running_valkey(directory))
        cluster = Cluster(directory=directory, valkey=valkey, broker_url=broker_url or valkey.url, web_port=free_port(),
                          mongodb=stack.enter_context(running_mongodb(directory)),
                          agents=stack.enter_context(running_agent_service(directory)),
                          state=stack.enter_context(running_state_service(directory)))
        stack.callback(cluster.stop)
        cluster.migrate()
        yield cluster


def _answers(broker_url: str, node: str) -> bool:
    """Say whether a worker answers a ping."""
    try:
        with Celery(broker=broker_url, set_as_current=False) as probe:
            return bool(probe.control.ping([node], timeout=0.5))
    except (KombuError, OSError):
        return False
