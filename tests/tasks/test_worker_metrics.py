"""The metrics of a worker process: one set for its life, shown on a port if one is set."""

from __future__ import annotations

import logging
import threading

import pytest
import requests

from sandbox.servers.ports import free_port
from tasks.worker import WorkerProcess
from tests.support.scrape import samples
from workflow_service.config import MetricsSettings
from workflow_service.metrics.catalogue import LEASES_LOST


def test_without_a_port_nobody_listens() -> None:
    before = set(threading.enumerate())
    WorkerProcess().show_metrics(MetricsSettings(port=None, host="127.0.0.1"))
    assert not set(threading.enumerate()) - before


def test_what_was_counted_is_shown_and_a_port_that_is_taken_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    settings = MetricsSettings(port=free_port(), host="127.0.0.1")
    worker, second = WorkerProcess(), WorkerProcess()
    worker.show_metrics(settings)
    worker.metrics().count(LEASES_LOST, by=3)
    with caplog.at_level(logging.ERROR):
        second.show_metrics(settings)
    assert "metrics are not shown" in caplog.text
    shown = requests.get(f"http://127.0.0.1:{settings.port}/metrics", timeout=5)
    assert samples(shown.content)["workflow_leases_lost_total"] == 3
