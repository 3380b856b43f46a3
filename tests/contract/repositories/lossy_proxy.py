"""A proxy between driver and server that loses one request, or one reply, when a test asks for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from types import TracebackType
from typing import Self

_HEADER_BYTES = 16
_CHUNK = 65536


class Fault(Enum):
    """What becomes of the next message that does a given command."""

    REQUEST_LOST = auto()
    """The server never sees it."""
    REPLY_LOST = auto()
    """The server does it, and nobody learns of it."""
    REQUEST_LATE = auto()
    """The server sees it only when the test says so."""


class LossyProxy:
    """Listens on a free port and passes everything on, but for the messages that the test names."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address of the server."""
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._armed: tuple[bytes, Fault] | None = None
        self._meanwhile: Callable[[], object] | None = None
        self._late: tuple[socket.socket, bytes] | None = None
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where clients connect to."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def arm(self, command: str, fault: Fault, meanwhile: Callable[[], object] | None = None) -> None:
        """Let the next message with a command meet a fault, once.

        Args:
            meanwhile: called after the server did what it was asked for, before the client learns of the fault.
        """
        with self._lock:
            self._armed = (b"\x02" + command.encode() + b"\0", fault)
            self._meanwhile = meanwhile

    @property
    def is_armed(self) -> bool:
        """True until the fault has happened."""
        with self._lock:
            return self._armed is not None

    def deliver_late(self) -> None:
        """Give the server the message that was held back, and wait until it has answered."""
        assert self._late is not None
        server, message = self._late
        server.sendall(message)
        _receive_message(server)

    def __enter__(self) -> Self:
        """Start to listen."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Cut all connections."""
        self._listener.close()
        for connection in self._open:
            _close(connection)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        """Pass requests on until one of them meets a fault; then the connection is cut."""
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        with suppress(OSError):
            while message := _receive_message(client):
                fault = self._fault(message)
                if fault is not None:
                    self._suffer(fault, message)
                    break
                server.sendall(message)
        _close(client)
        _close(server)

    def _suffer(self, fault: Fault, message: bytes) -> None:
        if fault is Fault.REPLY_LOST:
            self._do_unheard(message)
        if fault is Fault.REQUEST_LATE:
            self._late = (socket.create_connection(self._target), message)
            self._open.append(self._late[0])

    def _do_unheard(self, message: bytes) -> None:
        """Do the request on a connection of its own, so that no reply to it can reach the client."""
        with socket.create_connection(self._target) as own:
            own.sendall(message)
            _receive_message(own)
        if self._meanwhile is not None:
            self._meanwhile()

    def _fault(self, message: bytes) -> Fault | None:
        with self._lock:
            if self._armed is None or self._armed[0] not in message[:200]:
                return None
            fault = self._armed[1]
            self._armed = None
            return fault


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(_CHUNK):
            target.sendall(received)
    _close(target)


def _receive_message(connection: socket.socket) -> bytes:
    """Return one whole message of the wire protocol; empty at the end of the connection."""
    header = _receive(connection, _HEADER_BYTES)
    return header + _receive(connection, int.from_bytes(header[:4], "little") - _HEADER_BYTES) if header else b""


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            return b""
        received += part
    return received


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
