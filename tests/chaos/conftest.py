"""The service on real processes, new for each test, since each test breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """The stores, the reference services, the API and the repair; the test starts the worker for blocks."""
    with running_cluster(tmp_path) as running:
        running.start_web()
        running.start_control()
        yield running


@pytest.fixture
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(cluster.url, SECRET)
