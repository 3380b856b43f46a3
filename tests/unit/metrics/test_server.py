"""The HTTP server beside a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.support.scrape import samples
from workflow_service.metrics.registry import Registry
from workflow_service.metrics.server import MetricsServer


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    """A server that answers."""
    server = MetricsServer("127.0.0.1", 0, Registry({}).text)
    server.start()
    yield server
    server.stop()


def test_it_gives_the_metrics_and_nothing_else(server: MetricsServer) -> None:
    answer = requests.get(f"http://127.0.0.1:{server.port}/metrics?any=thing", timeout=5)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert samples(answer.content)["workflow_leases_lost_total"] == 0
    assert requests.get(f"http://127.0.0.1:{server.port}/", timeout=5).status_code == 404
    assert requests.post(f"http://127.0.0.1:{server.port}/metrics", timeout=5).status_code == 501


def test_one_who_says_nothing_holds_up_nobody(server: MetricsServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert requests.get(f"http://127.0.0.1:{server.port}/metrics", timeout=5).ok


def test_a_port_that_is_taken_is_said(server: MetricsServer) -> None:
    with pytest.raises(OSError):
        MetricsServer("127.0.0.1", server.port, Registry({}).text)
