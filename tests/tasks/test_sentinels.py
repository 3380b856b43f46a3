"""A broker and a result backend that are found by asking sentinels for their master."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis

from tasks.results import OVERRIDES
from tasks.server_check import ask_broker, backend_fault, broker_fault
from tasks.settings import celery_settings
from tests.support.sentinel import MASTER, running_sentinel
from tests.support.services import running_valkey
from tests.tasks.nowhere import NOWHERE
from workflow_service.config import load_settings

pytestmark = pytest.mark.acceptance


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of the master, which the app is not told."""
    with running_valkey(tmp_path / "master") as server:
        yield server.url


@pytest.fixture
def sentinel(tmp_path: Path, master: str) -> Iterator[str]:
    """The address of its sentinel."""
    with running_sentinel(tmp_path / "sentinel", int(urlsplit(master).port or 0)) as server:
        yield server.url


def an_app(sentinel: str, name: str) -> Celery:
    """Return an app that asks for a master by a name."""
    app = Celery(set_as_current=False)
    app.loader.override_backends = OVERRIDES
    app.conf.update(celery_settings(load_settings({
        **NOWHERE, "CELERY_BROKER_URL": sentinel, "CELERY_RESULT_BACKEND": sentinel, "CELERY_SENTINEL_MASTER": name})))
    return app


def test_messages_and_results_are_in_the_master(sentinel: str, master: str) -> None:
    with an_app(sentinel, MASTER) as app, app.connection_for_write() as connection:
        ask_broker(connection)
        assert broker_fault(connection, app) is None and backend_fault(app) is None
        app.send_task("a.task", queue="there")
        app.backend.client.set("counted", "1")
        with Redis.from_url(master) as client:
            assert (client.llen("there"), client.get("counted")) == (1, b"1")


def test_a_master_that_no_sentinel_knows_is_none(sentinel: str) -> None:
    with an_app(sentinel, "another") as app, app.connection_for_write() as connection:
        with pytest.raises(OperationalError, match="No master"):
            ask_broker(connection)
