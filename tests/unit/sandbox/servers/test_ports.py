"""Free ports."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.servers.errors import NoFreePort
from sandbox.servers.ports import FIRST, LAST, PortAllocator, free_port


def test_a_port_is_not_handed_out_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: free_port(), range(200)))

    assert len(set(taken)) == 200
    assert all(FIRST <= port <= LAST for port in taken)


def test_a_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()


def test_a_port_that_is_in_use_is_not_handed_out() -> None:
    with socket.socket() as listener:
        port = free_port()
        listener.bind(("127.0.0.1", port))
        listener.listen()

        with pytest.raises(NoFreePort):
            PortAllocator(first=port, last=port).take()


def test_a_range_that_is_used_up_is_an_error() -> None:
    port = free_port()
    allocator = PortAllocator(first=port, last=port)

    assert allocator.take() == port
    with pytest.raises(NoFreePort):
        allocator.take()
