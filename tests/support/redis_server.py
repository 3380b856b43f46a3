"""A real Redis, with or without TLS. The embedded Valkey was built without TLS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from tests.support.certificates import Certificates

HOST = "127.0.0.1"
_PATIENCE_S = 1


def require_redis() -> None:
    """Skip the calling test if Redis is not installed; where ``CI`` is set, fail it instead."""
    if shutil.which("redis-server") is not None:
        return
    reason = "Redis is not installed (Debian: apt-get install redis-server)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_redis(tmp_path: Path, *, certificates: Certificates | None = None) -> Iterator[RunningServer]:
    """Run Redis with its data in ``tmp_path/redis``.

    Args:
        tmp_path: the test's directory.
        certificates: for connections over TLS alone, by clients that show one of them.
    """
    directory, port = tmp_path / "redis", free_port()
    directory.mkdir()
    url = f"redis://{HOST}:{port}/0" if certificates is None else f"rediss://{HOST}:{port}/0?{certificates.query}"
    ports = ["--port", str(port)] if certificates is None else ["--port", "0", *_tls(port, certificates)]
    command = ["redis-server", *ports, "--bind", HOST, "--dir", str(directory), "--save", "", "--appendonly", "yes"]
    with ServerProcess(ServerCommand(name="Redis", argv=command, log=directory / "redis.log", environment={},
                                     is_ready=lambda: _answers(url))) as process:
        yield RunningServer(url=url, process=process)


def _tls(port: int, certificates: Certificates) -> list[str]:
    return ["--tls-port", str(port), "--tls-ca-cert-file", str(certificates.authority),
            "--tls-cert-file", str(certificates.server), "--tls-key-file", str(certificates.server)]


def _answers(url: str) -> bool:
    with Redis.from_url(url, socket_timeout=_PATIENCE_S, socket_connect_timeout=_PATIENCE_S) as client:
        try:
            return bool(client.ping())
        except (RedisError, OSError):
            return False
