"""The service on real processes, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running service with one worker for blocks."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_control()
        yield running


@pytest.fixture(scope="module")
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(cluster.url, SECRET)
