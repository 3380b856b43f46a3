"""Real servers for tests: each runs within a ``with`` block, on a free port, with a directory of its own.

A server that a test has killed comes back with ``server.process.restart()``, with its address and its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from sandbox.servers.mongodb import DURABLE, mongodb_command, mongodb_server, mongodb_url
from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from sandbox.servers.reference import reference_server, reference_url
from sandbox.servers.valkey import valkey_server, valkey_url
from tests.support.certificates import Certificates


@contextmanager
def running_valkey(tmp_path: Path) -> Iterator[RunningServer]:
    """Run Valkey with its data in ``tmp_path/valkey``, kept over a restart."""
    port, directory = free_port(), _folder(tmp_path, "valkey")
    with valkey_server(port, directory) as process:
        yield RunningServer(url=valkey_url(port), process=process)


@contextmanager
def running_mongodb(tmp_path: Path, *, certificates: Certificates | None = None) -> Iterator[RunningServer]:
    """Run the MongoDB-wire server with its data in ``tmp_path/mongodb``, kept over a restart.

    Args:
        tmp_path: the test's directory.
        certificates: for connections over TLS alone, by clients that show one of them.
    """
    port, directory = free_port(), _folder(tmp_path, "mongodb")
    server = mongodb_server(port, directory) if certificates is None else _with_tls(port, directory, certificates)
    query = "" if certificates is None else f"&{certificates.mongodb_query}"
    with server as process:
        yield RunningServer(url=mongodb_url(port) + query, process=process)
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


def _with_tls(port: int, directory: Path, certificates: Certificates) -> ServerProcess:
    url = f"{mongodb_url(port)}&{certificates.mongodb_query}"
    argv = [*mongodb_command(port, directory / "db"), "--tls-cert-file", str(certificates.server),
            "--tls-key-file", str(certificates.server), "--tls-ca-file", str(certificates.authority),
            "--tls-require-client-cert"]
    return ServerProcess(ServerCommand(name="SecantusDB", argv=argv, log=directory / "mongodb.log", environment=DURABLE,
                                       is_ready=lambda: _mongodb_answers(url)))


def _mongodb_answers(url: str) -> bool:
    client: MongoClient[dict[str, Any]]
    try:
        with MongoClient(url, serverSelectionTimeoutMS=500) as client:
            return bool(client.admin.command("ping")["ok"])
    except PyMongoError:
        return False


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
