"""The nodes of pytest-celery on processes of this machine instead of containers.

pytest-celery asks little of a container: name, status, logs, kill, restart and how Celery reaches it. A process that we
supervise can do all of that, so the fixtures and assertions of pytest-celery work without Docker.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping

import psutil
from celery import Celery
from kombu.exceptions import KombuError
from pytest_celery import CeleryTestBackend, CeleryTestBroker, CeleryTestWorker

from sandbox.servers.process import RunningServer, ServerProcess
from tests.support.cluster import Cluster

PING_MODULE = "pytest_celery.vendors.worker.tasks"
"""The tasks by which pytest-celery sees whether a worker works; a worker under test imports them beside its own."""


class LocalContainer:
    """A process in the shape of a container."""

    def __init__(self, name: str, process: ServerProcess, url: str = "") -> None:
        """Take a process that runs.

        Args:
            name: what it is called in messages.
            process: whoever made it also ends it.
            url: where Celery reaches it, if it is a broker or a backend.
        """
        self.name = name
        self.process = process
        self._url = url

    @property
    def id(self) -> str:
        """The name again: it is unique in a test."""
        return self.name

    @property
    def status(self) -> str:
        """``running`` or ``exited``."""
        return "running" if self.process.is_running else "exited"

    @property
    def celeryconfig(self) -> dict[str, str]:
        """How Celery reaches it, from within and from the test, which is the same here."""
        return {"url": self._url, "host_url": self._url, "vhost": "0"}

    def ready(self) -> bool:
        """Return True as soon as it serves. Raises ServerDidNotStart."""
        self.process.wait_until_ready()
        return True

    def logs(self) -> str:
        """Return all that it has written."""
        return self.process.logs()

    def kill(self, signal: str | int) -> None:
        """Send a signal, given as its name or number."""
        self.process.kill(_signal(signal))

    def reload(self) -> None:
        """Do nothing: the status is always fresh."""

    def restart(self, timeout: int = 0) -> None:
        """Start it again and return when it serves; how long that may take is said by its command."""
        self.process.restart()

    def teardown(self) -> None:
        """Do nothing: whoever made the process ends it."""


def _signal(given: str | int) -> signal.Signals:
    return signal.Signals[given] if isinstance(given, str) else signal.Signals(given)


class LocalBroker(CeleryTestBroker):  # type: ignore[misc]
    """A broker on this machine."""


class LocalBackend(CeleryTestBackend):  # type: ignore[misc]
    """A result backend on this machine."""


class LocalWorker(CeleryTestWorker):  # type: ignore[misc]
    """A worker on this machine."""

    def __init__(self, container: LocalContainer, app: Celery, queue: str) -> None:
        """Take a worker that serves a queue."""
        super().__init__(container, app)
        self._queue = queue

    @property
    def worker_name(self) -> str:
        """The name of the node, before the ``@``."""
        return str(self.container.name)

    @property
    def worker_queue(self) -> str:
        """The queue that it serves."""
        return self._queue

    def hostname(self) -> str:
        """Return the whole name of the node."""
        return f"{self.container.name}@test"

    def get_running_processes_info(self, columns: list[str] | None = None,
                                   filters: Mapping[str, str] | None = None) -> list[dict[str, object]]:
        """Return what is known of the worker's process and its children."""
        worker = psutil.Process(self.container.process.pid)
        found = [process.as_dict(columns) for process in (worker, *worker.children(recursive=True))]
        return [one for one in found if all(one.get(key) == value for key, value in (filters or {}).items())]


def local_broker(server: RunningServer) -> LocalBroker:
    """Return the node of a running broker."""
    return LocalBroker(LocalContainer("broker", server.process, server.url))


def local_backend(server: RunningServer) -> LocalBackend:
    """Return the node of a running result backend."""
    return LocalBackend(LocalContainer("backend", server.process, server.url))


def local_worker(cluster: Cluster, queue: str, app: Celery, *, pool: str = "threads") -> LocalWorker:
    """Start a worker of the service for a queue and return its node, which is named like the queue."""
    argv = ["celery", "-A", "tasks.app", "worker", "-Q", queue, "--pool", pool, "-c", "2", "-n", f"{queue}@test",
            "-I", PING_MODULE, "--without-gossip", "--without-mingle"]
    process = cluster.start(queue, argv, lambda: _answers(app, f"{queue}@test"))
    return LocalWorker(LocalContainer(queue, process), app, queue)


def _answers(app: Celery, node: str) -> bool:
    """Say whether a worker answers a ping."""
    try:
        return bool(app.control.ping([node], timeout=0.5))
    except (KombuError, OSError):
        return False
