"""The stack as a whole: brought up, recorded in its directory, and taken down."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cli.local import StackRecord
from sandbox.servers.errors import ServerError
from sandbox.servers.ports import free_port
from sandbox.stack.directory import StackDirectory
from sandbox.stack.environment import environment
from sandbox.stack.errors import PortInUse, StackError
from sandbox.stack.parts import Plan, plan
from sandbox.stack.probes import HOST, is_free
from sandbox.stack.reporting import STACK, Reporter
from sandbox.stack.stopping import StopRequests
from sandbox.stack.supervisor import POLL, Supervisor

_PORT_PATIENCE = timedelta(seconds=3)
"""How long the port may still be held by a stack that has just been killed."""


@contextmanager
def running_stack(folder: Path, environ: Mapping[str, str], port: int | None, stopping: StopRequests,
                  reporting: Callable[[Plan], Reporter]) -> Iterator[Supervisor]:
    """Run the stack of a folder from entry to exit.

    Args:
        folder: whose ``.local`` is used.
        environ: the environment variables.
        port: of the API; None for a free one.
        stopping: ends it early.
        reporting: returns who is told what happens, for the parts of a plan.

    Raises:
        StackError: it can't be started.
    """
    directory = StackDirectory.below(folder)
    with directory.held():
        planned = _plan(directory, environ, port)
        reporter = reporting(planned)
        supervisor = Supervisor(planned.parts, directory, environment(directory, environ, folder), reporter, stopping,
                                lambda pids: directory.write(_record(planned, pids)))
        try:
            supervisor.start()
            yield supervisor
        finally:
            reporter.progress(STACK, "is stopping")
            supervisor.stop()


def _plan(directory: StackDirectory, environ: Mapping[str, str], port: int | None) -> Plan:
    if port is not None:
        _wait_until_free(port)
    try:
        return plan(directory, environ, port or free_port())
    except ServerError as error:
        raise StackError(str(error)) from error


def _wait_until_free(port: int) -> None:
    deadline = time.monotonic() + _PORT_PATIENCE.total_seconds()
    while not is_free(port):
        if time.monotonic() > deadline:
            raise PortInUse(port)
        time.sleep(POLL.total_seconds())


def _record(planned: Plan, pids: Mapping[str, int]) -> StackRecord:
    return StackRecord(pid=os.getpid(), url=f"http://{HOST}:{planned.port}",
                       flower_url=f"http://{HOST}:{planned.flower_port}", agent_service_url=planned.agent_service_url,
                       pids=dict(pids))
