"""Sentinels, who know where the master of a Redis is; Valkey has them in its server program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from sandbox.servers.valkey import HOST, valkey_answers, valkey_binary

MASTER = "main"
"""What the sentinel calls the master."""


@contextmanager
def running_sentinel(directory: Path, master_port: int) -> Iterator[RunningServer]:
    """Run one sentinel that watches a server on this machine; its address is one of ``sentinel://``.

    Args:
        directory: where it keeps its notes; is made.
        master_port: where the server listens.
    """
    directory.mkdir()
    port, notes = free_port(), directory / "sentinel.conf"
    notes.write_text(f"port {port}\nbind {HOST}\ndir {directory}\nsentinel monitor {MASTER} {HOST} {master_port} 1\n",
                     encoding="utf-8")
    with ServerProcess(ServerCommand(name="sentinel", argv=[str(valkey_binary()), str(notes), "--sentinel"],
                                     log=directory / "sentinel.log", environment={},
                                     is_ready=lambda: valkey_answers(port))) as process:
        yield RunningServer(url=f"sentinel://{HOST}:{port}/0", process=process)
