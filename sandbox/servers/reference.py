"""The reference services as processes: each is a module that serves HTTP when it is run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sandbox.servers.process import ServerCommand, ServerProcess

HOST = "127.0.0.1"
_PROBE_PATIENCE = timedelta(seconds=1)


def reference_command(module: str, port: int) -> list[str]:
    """Return the command line of a reference service.

    Args:
        module: what to run, such as ``sandbox.state_service``.
        port: where it listens on the loopback interface.
    """
    return [sys.executable, "-m", module, "--host", HOST, "--port", str(port)]


def reference_url(port: int) -> str:
    """Return the base address of a reference service."""
    return f"http://{HOST}:{port}"


def reference_answers(port: int) -> bool:
    """Say whether a service serves on the port."""
    connection = HTTPConnection(HOST, port, timeout=_PROBE_PATIENCE.total_seconds())
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def reference_server(module: str, port: int, directory: Path,
                     environment: Mapping[str, str]) -> ServerProcess:
    """Return a service that is yet to be started.

    Args:
        module: what to run, such as ``sandbox.state_service``.
        port: where it listens on the loopback interface.
        directory: where its output is logged; made if it is missing.
        environment: its settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return ServerProcess(ServerCommand(
        name=module, argv=reference_command(module, port), log=directory / f"{module.rpartition('.')[2]}.log",
        environment=environment, is_ready=lambda: reference_answers(port)))
