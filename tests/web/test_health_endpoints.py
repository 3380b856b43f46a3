"""Liveness and readiness."""

from __future__ import annotations

import pytest

from tests.web.checked_client import CheckedClient
from tests.web.fakes import FakeApplication


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
