"""A real RabbitMQ node as a process of its own: nothing of it is shared with a node that the machine may run.

Ports, node name, cookie, data, logs and even the port mapper (epmd) are its own, everything listens on the loopback
interface, and no plugin is on. Each process is reached by its id alone.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.servers.ports import free_port
from sandbox.servers.process import RunningServer, ServerCommand, ServerProcess
from tests.support.certificates import Certificates

HOST = "127.0.0.1"
_GREETING = b"AMQP\x00\x00\x09\x01"
_CONNECTION_START = b"\x01\x00\x00"
"""How a broker that serves begins its answer: a frame of a method on channel 0."""
_PATIENCE_S = 0.5
_CONFIGURATION = """\
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 10MB
"""


def rabbitmq_program() -> Path | None:
    """Return the server's own start script, not the wrapper of a distribution that changes the user; None if absent."""
    packaged = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    found: list[str | None] = [str(path) for path in packaged[-1:]] or [shutil.which("rabbitmq-server")]
    return Path(found[0]) if found[0] is not None else None


def require_rabbitmq() -> None:
    """Skip the calling test if RabbitMQ is not installed; where ``CI`` is set, fail it instead."""
    if rabbitmq_program() is not None and shutil.which("epmd") is not None:
        return
    reason = "RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_rabbitmq(tmp_path: Path, *, certificates: Certificates | None = None,
                     configuration: str = "") -> Iterator[RunningServer]:
    """Run RabbitMQ with its data in ``tmp_path/rabbitmq``, kept over a restart.

    Args:
        tmp_path: the test's directory.
        certificates: for connections over TLS alone, by clients that show one of them.
        configuration: more lines of ``rabbitmq.conf``.
    """
    directory = tmp_path / "rabbitmq"
    directory.mkdir()
    tls_port = free_port()
    if certificates is not None:
        configuration += _tls(tls_port, certificates)
    port, epmd_port = free_port(), free_port()
    mapper = ServerCommand(name="epmd", argv=["epmd", "-port", str(epmd_port), "-address", HOST],
                           log=directory / "epmd.log", environment={}, is_ready=lambda: _listens(epmd_port))
    node = ServerCommand(name="RabbitMQ", argv=[str(rabbitmq_program())], log=directory / "rabbitmq.log",
                         environment=_environment(directory, port, epmd_port, configuration),
                         is_ready=lambda: _serves(port))
    with ServerProcess(mapper), ServerProcess(node) as process:
        address = f"guest:guest@{HOST}"
        yield RunningServer(process=process, url=f"amqp://{address}:{port}//" if certificates is None else
                            f"amqps://{address}:{tls_port}//?{certificates.query}")
        # an orderly end takes seconds, and nobody needs its data any more
        process.kill()


def _tls(port: int, certificates: Certificates) -> str:
    options = {"cacertfile": certificates.authority, "certfile": certificates.server,
               "keyfile": certificates.server, "verify": "verify_peer", "fail_if_no_peer_cert": "true"}
    return f"listeners.ssl.default = {HOST}:{port}\n" + "".join(
        f"ssl_options.{name} = {value}\n" for name, value in options.items())


def _environment(directory: Path, port: int, epmd_port: int, configuration: str) -> Mapping[str, str]:
    files = {"rabbitmq-env.conf": "", "rabbitmq.conf": _CONFIGURATION + configuration,
             "enabled_plugins": "[].\n"}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return {
        "HOME": str(directory),  # the cookie is made there
        "ERL_EPMD_PORT": str(epmd_port), "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST, "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"), "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
        "RABBITMQ_PID_FILE": str(directory / "rabbitmq.pid"),
        # a message that is kept too long is noticed within half a second, not within a minute
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} "
                                               "-rabbit channel_tick_interval 500",
    }


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), _PATIENCE_S).close()
    except OSError:
        return False
    return True


def _serves(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), _PATIENCE_S) as connection:
            connection.sendall(_GREETING)
            return connection.recv(16).startswith(_CONNECTION_START)
    except OSError:
        return False
