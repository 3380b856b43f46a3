"""A real server on a real socket that answers each request as it is told to, however rude."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


class Connection:
    """A connection that was accepted, and what one can do to it."""

    def __init__(self, accepted: socket.socket, closing: Event) -> None:
        """Take the socket; ``closing`` is set when the test is over."""
        self._socket = accepted
        self._closing = closing
        self._reader = accepted.makefile("rb")

    def read(self) -> Request | None:
        """Return the next request; None if there is none any more."""
        first = self._reader.readline().decode()
        if not first.strip():
            return None
        headers = {}
        while line := self._reader.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        method, target, _ = first.split(" ")
        return Request(method=method, target=target, headers=headers,
                       body=self._reader.read(int(headers.get("content-length", 0))))

    def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(content)

    def wait(self, seconds: float) -> bool:
        """Wait; False when the test is over."""
        return not self._closing.wait(seconds)

    def reset(self) -> None:
        """Break the connection instead of closing it."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
        self._socket.close()


Behaviour = Callable[[Connection], bool]
"""Answers one request; True if the connection stays open."""


class RudeServer:
    """Behaves as scripted, one behaviour for each request; the last one for all that follow."""

    def __init__(self, listener: socket.socket) -> None:
        """Take the socket that listens."""
        self._listener = listener
        self._lock = Lock()
        self._script: list[Behaviour] = []
        self.closing = Event()
        self.requests: list[Request] = []
        self.connections = 0

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def will(self, *behaviours: Behaviour) -> RudeServer:
        """Script what comes next."""
        self._script = list(behaviours)
        return self

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._serve_one, args=(Connection(accepted, self.closing),), daemon=True).start()

    def _serve_one(self, connection: Connection) -> None:
        try:
            while (request := connection.read()) is not None:
                with self._lock:
                    self.requests.append(request)
                    behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                if not behaviour(connection):
                    break
        except OSError:
            pass  # the client had enough of it
        finally:
            connection.close()


@contextmanager
def rude_server() -> Iterator[RudeServer]:
    """Run a server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RudeServer(listener)
        thread = Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def reply(status: int, body: Any = None, **headers: str) -> Behaviour:
    """Answer politely: JSON for a value, bytes as they are, nothing for None; ``_`` in header names is ``-``."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]

    def behave(connection: Connection) -> bool:
        connection.send("\r\n".join([*lines, "", ""]).encode() + content)
        return True

    return behave


def raw(content: bytes) -> Behaviour:
    """Send these bytes and close."""
    def behave(connection: Connection) -> bool:
        connection.send(content)
        return False

    return behave


def hang(connection: Connection) -> bool:
    """Never answer."""
    connection.wait(30)
    return False


def hang_up(connection: Connection) -> bool:
    """Close without an answer."""
    return False


def reset(connection: Connection) -> bool:
    """Break the connection without an answer."""
    connection.reset()
    return False


def reset_in_body(connection: Connection) -> bool:
    """Break the connection in the middle of the answer."""
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half"')
    connection.wait(0.05)  # else the reset overtakes what was sent
    connection.reset()
    return False


def drip(beginning: bytes) -> Behaviour:
    """Send the beginning, then a byte now and then, for five seconds."""
    def behave(connection: Connection) -> bool:
        connection.send(beginning)
        for _ in range(100):
            if not connection.wait(0.05):
                break
            connection.send(b" ")
        return False

    return behave


def flood(connection: Connection) -> bool:
    """Send a body of 20 MB."""
    connection.send(b"HTTP/1.1 200 OK\r\n\r\n[")
    for _ in range(200):
        connection.send(b"0," * 50_000)
    connection.send(b"0]")
    return False
