"""What a cell needs: a cluster in which everything runs, a user, and a look into the store."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.chaos.matrix.fault_cells import SECOND
from tests.chaos.matrix.processes import again
from tests.chaos.matrix.scene import Scene
from tests.support.cluster import SECRET, Cluster
from tests.support.driver import Driver
from tests.support.records import Records, reading_records


@pytest.fixture(scope="module")
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(cluster.url, SECRET)


@pytest.fixture(scope="module")
def records(cluster: Cluster) -> Iterator[Records]:
    """What is stored."""
    with reading_records(cluster) as reading:
        yield reading


@pytest.fixture
def scene(cluster: Cluster, driver: Driver, records: Records, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A cell; after it everything runs again, and nothing else does."""
    name = re.sub("[^A-Za-z0-9_-]", "_", request.node.callspec.id)
    yield Scene(name=name, cluster=cluster, driver=driver, records=records)
    second = cluster.processes.pop(SECOND, None)
    if second is not None:
        second.kill()
    for process in (*cluster.processes.values(), cluster.mongodb.process, cluster.broker.process):
        if not process.is_running:
            again(process)
