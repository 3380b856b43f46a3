"""The Celery app of these tests, and the nodes of pytest-celery.

The app has settings that lead nowhere, so that what a test reaches by accident refuses. The nodes run our own workers
on real servers; a test that asks for ``celery_setup`` starts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from celery import Celery
from pytest_celery import CeleryTestSetup, CeleryWorkerCluster

from tests.support.celery_nodes import (
    LocalBackend,
    LocalBroker,
    LocalWorker,
    local_backend,
    local_broker,
    local_worker,
)
from tests.support.cluster import Cluster, running_cluster
from tests.support.services import running_valkey
from tests.tasks.nowhere import NOWHERE

with pytest.MonkeyPatch.context() as _patch:  # the app reads its settings when it is imported, which is now
    for _name, _value in NOWHERE.items():
        _patch.setenv(_name, _value)
    import_module("tasks.app")


@pytest.fixture
def celery_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker that holds no results."""
    with running_valkey(tmp_path / "broker") as server:
        yield local_broker(server)


@pytest.fixture
def cluster(tmp_path: Path, celery_broker: LocalBroker) -> Iterator[Cluster]:
    """The stores and the reference services, with that broker; no process of the service yet."""
    with running_cluster(tmp_path, celery_broker.config()["url"]) as running:
        yield running


@pytest.fixture
def celery_backend(cluster: Cluster) -> LocalBackend:
    """The cluster's Valkey, where chords are counted."""
    return local_backend(cluster.valkey)


@pytest.fixture
def celery_setup_app(celery_setup_config: dict[str, str], celery_setup_name: str) -> Iterator[Celery]:
    """The app by which a test reaches the workers; it is closed in the end."""
    with CeleryTestSetup.create_setup_app(celery_setup_config, celery_setup_name) as app:
        yield app


@pytest.fixture
def celery_worker(cluster: Cluster, celery_setup_app: Celery) -> LocalWorker:
    """Our worker for blocks."""
    return local_worker(cluster, "blocks", celery_setup_app)


@pytest.fixture
def celery_worker_cluster(cluster: Cluster, celery_worker: LocalWorker,
                          celery_setup_app: Celery) -> CeleryWorkerCluster:
    """Our workers for both queues."""
    return CeleryWorkerCluster(celery_worker, local_worker(cluster, "control", celery_setup_app))
