"""A proxy before the Agent Service that loses one reply: the work is done, and who asked for it never learns of it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536
_WORK = (b"POST /agents/", b"/executions HTTP")


class LosesReplies:
    """Passes everything on, but for the reply to the next request for work once it is armed."""

    def __init__(self, url: str) -> None:
        """Take the address of the service."""
        address = urlsplit(url)
        self._target = (str(address.hostname), int(address.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._left = 0
        self.lost = 0
        """How many replies were lost."""

    @property
    def url(self) -> str:
        """Where clients connect to."""
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def arm(self, times: int) -> None:
        """Lose the reply to each of the next requests for work."""
        with self._lock:
            self._left = times

    def __enter__(self) -> Self:
        """Start to listen."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Cut all connections."""
        for one in (self._listener, *self._open):
            _close(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                doomed = threading.Event()
                for pump in (self._requests, self._replies):
                    threading.Thread(target=pump, args=(client, server, doomed), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while received := client.recv(_CHUNK):
                if all(part in received for part in _WORK) and self._takes():
                    doomed.set()
                server.sendall(received)
        _close(server)

    def _replies(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while received := server.recv(_CHUNK):
                if doomed.is_set():
                    with self._lock:
                        self.lost += 1
                    break
                client.sendall(received)
        _close(client)
        _close(server)

    def _takes(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
