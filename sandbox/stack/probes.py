"""Looks whether a part serves."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from sandbox.stack.part import LogText

HOST = "127.0.0.1"
"""The address that every part listens on."""
_PATIENCE_S = 1.0


def answers(port: int, path: str) -> Callable[[LogText], bool]:
    """Return a probe: true when a request is answered 200."""
    return lambda _: _is_ok(port, path)


def says(text: str) -> Callable[[LogText], bool]:
    """Return a probe: true when the part has written this."""
    return lambda written: text in written()


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port."""
    with socket.socket() as listener:
        # connections of an earlier server that are still winding down do not count
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
        return True


def _is_ok(port: int, path: str) -> bool:
    connection = HTTPConnection(HOST, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
