"""A MongoDB-wire server for development: SecantusDB, in a process of its own.

Pinned to ``SecantusDB==0.7.0b3`` (GPL-2.0, an optional extra, not for production data). What is set, and why:

- ``--sync-on-commit``: without it acknowledged writes are lost when the process is killed.
- ``--standalone``: a replica set of one member would write each change a second time, to its oplog, which
  only change streams read. Measured, it saves 10 % of the server's time for an insert and 25 % for an update.
  Drivers then send no retryable writes either, whose registry makes this server slower and slower.
- ``--config``: an empty file of ours, so that no settings file that lies about is found.
- ``secantus_server.py`` is the program ``secantusd-py``, remembering its index catalogue.
"""

from __future__ import annotations

import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from sandbox.servers.packages import package_folder
from sandbox.servers.process import ServerCommand, ServerProcess

HOST = "127.0.0.1"
DURABLE = {"SECANTUS_FORCE_DURABLE": "1"}
"""Environment for the server: overrules a switch for test suites under which it would not be durable."""
_PROGRAM = Path(__file__).with_name("secantus_server.py")
_SETTINGS = Path(__file__).with_name("secantusd.toml")
_PROBE_PATIENCE = timedelta(seconds=1)


def mongodb_command(port: int, directory: Path, *, change_streams: bool = False) -> list[str]:
    """Return the command line of a server; start it with ``DURABLE`` in its environment.

    Args:
        port: where it listens on the loopback interface.
        directory: where it keeps its data; made if it is missing.
        change_streams: act as a replica set of one, which change streams and transactions need.

    Raises:
        ServerNotInstalled: there is no server to start.
    """
    package_folder("secantus")  # raises here rather than in the program
    command = [sys.executable, "-P", str(_PROGRAM), "--config", str(_SETTINGS), "--sync-on-commit",
               "--storage-path", str(directory), "--host", HOST, "--port", str(port),
               "--log-level", "WARNING"]
    return command if change_streams else [*command, "--standalone"]


def mongodb_url(port: int, database: str = "workflow") -> str:
    """Return the address for MongoDB clients; retryable writes are off, whatever the server is started as."""
    return f"mongodb://{HOST}:{port}/{database}?retryWrites=false"


def mongodb_answers(port: int) -> bool:
    """Say whether a server serves on the port."""
    patience = _PROBE_PATIENCE.total_seconds()
    try:
        socket.create_connection((HOST, port), patience).close()
        client: MongoClient[dict[str, Any]]
        with MongoClient(mongodb_url(port), serverSelectionTimeoutMS=int(patience * 1000)) as client:
            return bool(client.admin.command("ping")["ok"])
    except (OSError, PyMongoError):
        return False


def mongodb_server(port: int, directory: Path, *, change_streams: bool = False) -> ServerProcess:
    """Return a server that is yet to be started; the arguments are those of ``mongodb_command``."""
    directory.mkdir(parents=True, exist_ok=True)
    command = mongodb_command(port, directory / "db", change_streams=change_streams)
    return ServerProcess(ServerCommand(name="SecantusDB", argv=command, log=directory / "mongodb.log",
                                       environment=DURABLE, is_ready=lambda: mongodb_answers(port)))
