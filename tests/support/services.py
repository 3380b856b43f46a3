"""Real servers for tests: each runs within a ``with`` block, on a free port, with a directory of its own.

A server that a test has killed comes back with ``server.process.restart()``, with its address and its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.servers.mongodb import mongodb_server, mongodb_url
from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer
from sandbox.servers.reference import reference_server, reference_url
from sandbox.servers.valkey import valkey_server, valkey_url


@contextmanager
def running_valkey(tmp_path: Path) -> Iterator[RunningServer]:
    """Run Valkey with its data in ``tmp_path/valkey``, kept over a restart."""
    port, directory = free_port(), _folder(tmp_path, "valkey")
    with valkey_server(port, directory) as process:
        yield RunningServer(url=valkey_url(port), process=process)


@contextmanager
def running_mongodb(tmp_path: Path) -> Iterator[RunningServer]:
    """Run the MongoDB-wire server with its data in ``tmp_path/mongodb``, kept over a restart."""
    port, directory = free_port(), _folder(tmp_path, "mongodb")
    with mongodb_server(port, directory) as process:
        yield RunningServer(url=mongodb_url(port), process=process)
        # its own shutdown takes two seconds, and nobody needs its data any more
        process.kill()


@contextmanager
def running_state_service(tmp_path: Path) -> Iterator[RunningServer]:
    """Run the reference State Management Service with its data in ``tmp_path/state_service``."""
    port, directory = free_port(), _folder(tmp_path, "state_service")
    settings = {"STATE_SERVICE_DATA": str(directory)}
    with reference_server("sandbox.state_service", port, directory, settings) as process:
        yield RunningServer(url=reference_url(port), process=process)


@contextmanager
def running_agent_service(tmp_path: Path, registry: Path | None = None) -> Iterator[RunningServer]:
    """Run the reference Agent Service with its data in ``tmp_path/agent_service``.

    Args:
        tmp_path: the test's directory.
        registry: the file that declares the agents; None for the agents that come with the service.
    """
    port, directory = free_port(), _folder(tmp_path, "agent_service")
    settings = {"AGENT_SERVICE_DATA": str(directory),
                "AGENT_WORKSPACE_DIR": str(_folder(tmp_path, "workspace")),
                "AGENT_REGISTRY": "" if registry is None else str(registry)}
    with reference_server("sandbox.agent_service", port, directory, settings) as process:
        yield RunningServer(url=reference_url(port), process=process)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
