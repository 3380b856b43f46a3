"""The service on real processes, shared by the tests of a module, which run on each kind of servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.certificates import make_certificates
from tests.support.cluster import SECRET, Cluster, running_cluster
from tests.support.driver import Driver
from tests.support.rabbitmq import require_rabbitmq, running_rabbitmq
from tests.support.redis_server import require_redis, running_redis
from tests.support.services import running_mongodb


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def cluster(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A running service with one worker for blocks.

    ``valkey``: what it has by itself. ``rabbitmq``: what a company may have instead, RabbitMQ with Redis for the
    counters of chords, and all three servers, the database too, speak TLS alone and want to see a certificate.
    """
    directory = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        if request.param == "rabbitmq":
            require_rabbitmq()
            require_redis()
            certificates = make_certificates(directory)
            running = stack.enter_context(running_cluster(
                directory, rabbitmq=stack.enter_context(running_rabbitmq(directory, certificates=certificates)),
                redis=stack.enter_context(running_redis(directory, certificates=certificates)),
                mongodb=stack.enter_context(running_mongodb(directory, certificates=certificates))))
        else:
            running = stack.enter_context(running_cluster(directory))
        running.start_web()
        running.start_worker("blocks", "blocks")
        running.start_control()
        yield running


@pytest.fixture(scope="module")
def driver(cluster: Cluster) -> Driver:
    """A user with all rights."""
    return Driver(cluster.url, SECRET)
