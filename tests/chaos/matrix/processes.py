"""The processes of a cluster that lives through many cells: quick to start, and armed with failpoints.

A worker counts as started when its log says so. Asking it over the broker, as others do, takes a second more, which
is most of what a cell may take.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta

import pytest

from sandbox.servers.process import ServerProcess
from tests.support.cluster import Cluster
from tests.support.driver import eventually
from workflow_service.failpoints.arming import EXIT_CODE

PATIENCE = timedelta(seconds=15)


class ReadyLine:
    """Says whether a worker has written since its last start that it is ready."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        """Look at the log of a process."""
        self._cluster = cluster
        self._name = name
        self._seen = 0

    def __call__(self) -> bool:
        """Look; while the process does not run, remember how much is in the log already."""
        process = self._cluster.processes[self._name]
        written = process.logs()
        if not process.is_running:
            self._seen = len(written)
            return False
        return f"{self._name}@test ready." in written[self._seen:]


def start_worker(cluster: Cluster, name: str, queue: str, *, pool: str = "threads", concurrency: int = 8) -> None:
    """Start a worker for a queue."""
    argv = ["celery", "-A", "tasks.app", "worker", "-Q", queue, "--pool", pool, "-c", str(concurrency),
            "-n", f"{name}@test", "--without-gossip", "--without-mingle"]
    cluster.start(name, argv, ReadyLine(cluster, name))


def start_all(cluster: Cluster, *, pool: str = "threads", concurrency: int = 8) -> None:
    """Start the API, a worker for blocks and what repairs."""
    cluster.start_web()
    start_worker(cluster, "blocks", "blocks", pool=pool, concurrency=concurrency)
    start_worker(cluster, "control", "control", concurrency=2)
    argv = ["celery", "-A", "tasks.app", "beat", "--schedule", str(cluster.directory / "beat-schedule")]
    cluster.start("beat", argv, lambda: cluster.processes["beat"].is_running)


def kill_all(cluster: Cluster) -> None:
    """End all of them; an orderly end takes seconds, and nobody needs anything of them any more."""
    for process in cluster.processes.values():
        process.kill()


def again(process: ServerProcess, environment: Mapping[str, str] | None = None) -> None:
    """Kill a process if it runs, and start it with more in its environment."""
    process.kill()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (environment or {}).items():
            patched.setenv(name, value)
        process.start()


class ArmedProcess:
    """A process that ends itself at a moment."""

    def __init__(self, process: ServerProcess, moment: str) -> None:
        """Start the process again, with this failpoint in its environment."""
        self.process = process
        self._name = moment.partition(":")[0]
        self._written = len(process.logs())
        again(process, {"WORKFLOW_FAILPOINT": moment})

    @property
    def has_ended(self) -> bool:
        """True when the moment was reached and the process, or one that it started, has ended because of it."""
        return f"failpoint {self._name}:" in self.process.logs()[self._written:]

    def awaits_end(self, *, is_parent: bool) -> None:
        """See how it ends.

        Args:
            is_parent: the process goes on, only one that it started ends; then it says how in its log.
        """
        if is_parent:
            eventually(lambda: str(EXIT_CODE) in self.process.logs()[self._written:] or None, PATIENCE)
        else:
            assert eventually(lambda: exit_code(self.process.pid), PATIENCE) == EXIT_CODE


def exit_code(pid: int) -> int | None:
    """Return how a process of ours ended; None if it runs. Whoever started it can still ask."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    return ended.si_status if ended is not None else None
