"""Liveness and readiness."""

from __future__ import annotations

from collections.abc import Iterator

import mongoengine
import pytest

from sandbox.servers.ports import free_port
from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET
from tests.web.fakes import FakeApplication
from tests.web.real_service import HandWorker
from workflow_service.bootstrap import build
from workflow_service.config import load_settings
from workflow_service.repositories.mongo.connection import ALIAS


def test_alive_whatever_else_is_down(client: CheckedClient, service: FakeApplication) -> None:
    service.health.answers = dict.fromkeys(service.health.answers, False)
    answer = client.get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_ready_when_everything_answers(client: CheckedClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


def test_not_ready_without_the_database(client: CheckedClient, service: FakeApplication) -> None:
    service.health.answers["mongodb"] = False
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "dependencies": {
        "mongodb": False, "redis": True, "agent_service": True, "state_service": True}}


@pytest.mark.parametrize("down", [
    ["redis"], ["agent_service"], ["state_service"], ["redis", "agent_service", "state_service"]])
def test_ready_while_what_can_wait_is_down(client: CheckedClient, service: FakeApplication, down: list[str]) -> None:
    service.health.answers.update(dict.fromkeys(down, False))
    answer = client.get("/ready")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert [name for name, answers in answer.json["dependencies"].items() if not answers] == down


@pytest.fixture
def unconnected() -> Iterator[None]:
    """No test before or after this one has a connection under the service's name."""
    mongoengine.disconnect(ALIAS)
    yield
    mongoengine.disconnect(ALIAS)


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize(("broker_url", "asked"), [
    (None, []), ("amqp://127.0.0.1:9//", ["broker"]), ("redis://127.0.0.1:9/7", ["broker"])])
def test_a_broker_of_its_own_is_asked_as_well(broker_url: str | None, asked: list[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = load_settings({
        "MONGODB_URL": f"mongodb://{address}/none", "MONGODB_SERVER_SELECTION_TIMEOUT_MS": "1", "JWT_SECRET": SECRET,
        "REDIS_URL": f"redis://{address}/0", "AGENT_SERVICE_URL": f"http://{address}",
        "STATE_SERVICE_URL": f"http://{address}", **({"CELERY_BROKER_URL": broker_url} if broker_url else {})})
    answers = build(settings, HandWorker(), ask_broker=lambda: None).health.check()
    assert [name for name, is_there in answers.items() if is_there] == asked
    assert set(answers) - {"broker"} == {"mongodb", "redis", "agent_service", "state_service"}
