"""Free ports for servers on this machine.

They are taken from below the range that operating systems use for outgoing connections. A port of that range
could be lost to a client while its server is down for a restart, and a client that tries such a port again
and again on the loopback interface can end up connected to itself.
"""

from __future__ import annotations

import random
import socket
from threading import Lock

from sandbox.servers.errors import NoFreePort

FIRST = 20_000
LAST = 29_999
_TRIES = 1000


class PortAllocator:
    """Hands out each port at most once."""

    def __init__(self, host: str = "127.0.0.1", first: int = FIRST, last: int = LAST) -> None:
        """Take the address on which the ports must be free, and the range to take them from."""
        self._host = host
        self._first = first
        self._last = last
        self._handed_out: set[int] = set()
        self._lock = Lock()
        self._random = random.SystemRandom()

    def take(self) -> int:
        """Return a port that nothing listens on and that was not returned before.

        Raises:
            NoFreePort: none was found.
        """
        with self._lock:
            for _ in range(_TRIES):
                port = self._random.randint(self._first, self._last)
                if port not in self._handed_out and self._is_free(port):
                    self._handed_out.add(port)
                    return port
        raise NoFreePort(f"No free port between {self._first} and {self._last} on {self._host}.")

    def _is_free(self, port: int) -> bool:
        with socket.socket() as listener:
            try:
                listener.bind((self._host, port))
            except OSError:
                return False
            return True


_PORTS = PortAllocator()


def free_port() -> int:
    """Return a port of the loopback interface that this process has not handed out before."""
    return _PORTS.take()
