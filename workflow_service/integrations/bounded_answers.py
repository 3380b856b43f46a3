"""Connections whose read time-out bounds the whole answer, not the pause between two packets of it.

A server that sends one byte a second never lets the usual time-out pass. Here the socket may wait only for what is left
of it, from the moment the request was sent to the last byte of the answer.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_SOON = 0.001
"""A socket time-out of zero would mean not to wait at all, and fail differently."""


class _BoundedReader(io.RawIOBase):
    """Reads a socket, and gives up when the time-out that it had at the start is over."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        patience = connection.gettimeout()
        self._deadline = None if patience is None else time.monotonic() + patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            self._connection.settimeout(max(self._deadline - time.monotonic(), _SOON))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """An answer that is read in bounded time."""

    def __init__(self, sock: socket.socket, *positional: Any, **named: Any) -> None:
        super().__init__(sock, *positional, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock))


class _Connection(HTTPConnection):
    response_class = _BoundedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class BoundedAdapter(HTTPAdapter):
    """The transport of ``requests``, with bounded answers; retries nothing by itself."""

    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*positional, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
