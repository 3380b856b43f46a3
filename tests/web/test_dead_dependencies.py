"""What is dead is answered with 503 and when to ask again, at whatever moment it dies, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from flask import Flask

from sandbox.servers.ports import free_port
from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers
from tests.web.real_service import HandWorker, a_real_service
from tests.web.world import Operation, a_world, operations
from web.api.schemas.examples import PLACE_HOLD, START, TEMPLATE
from web.context import provide
from web.errors import RETRY_AFTER_SECONDS
from workflow_service.bootstrap import build
from workflow_service.config import load_settings
from workflow_service.domain.errors import Unavailable
from workflow_service.services.engine import Ports
from workflow_service.services.ports import Dispatch

_MANY = 200
"""Calls of stores that one request makes at most."""


class DeadBroker:
    """Takes no messages, as the port says a dead one does."""

    def dispatch(self, sent: Sequence[Dispatch]) -> bool:
        """Send nothing."""
        return False


@dataclass
class Fuse:
    """Lets a number of calls through and none of the others."""

    calls: int = 1_000_000
    dependency: str = "MongoDB"

    @property
    def has_blown(self) -> bool:
        """True if a call was refused."""
        return self.calls < 0

    def check(self) -> None:
        """Count a call."""
        self.calls -= 1
        if self.calls < 0:
            raise Unavailable(self.dependency)


class Fused:
    """A port whose every call goes through a fuse."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        """Stand before a port."""
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        """Return what the port has, with the fuse before it."""
        found = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.check()
            return found(*args, **kwargs)

        return call if callable(found) else found


def with_a_dead(fuse: Fuse, *names: str) -> Callable[[Ports], Ports]:
    """Return what puts a fuse before ports with these names."""
    def rewired(ports: Ports) -> Ports:
        stores = replace(ports.stores, **{one.name: Fused(getattr(ports.stores, one.name), fuse)
                                          for one in fields(ports.stores)}) if "stores" in names else ports.stores
        others: Mapping[str, Any] = {name: Fused(getattr(ports, name), fuse) for name in names if name != "stores"}
        return replace(ports, stores=stores, **others)

    return rewired


@pytest.fixture
def app(edge: Flask) -> Flask:
    """The edge; each test puts a service behind it."""
    return edge


def check(answer: Any, operation: Operation, moment: object = "") -> None:
    """Hold an answer that must be 503 against our shape."""
    assert answer.status_code == 503, f"{operation.name} {moment}: {answer.text[:300]}"
    assert (answer.json["error"], answer.json["code"]) == ("unavailable", 503)
    assert answer.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]


IDS = {"templateId": "t", "executionId": "e", "blockId": "b", "approvalId": "a", "holdId": "h"}


def test_each_endpoint_while_every_server_is_dead(client: CheckedClient, admin: Headers) -> None:
    addresses = {name: f"http://127.0.0.1:{free_port()}" for name in ("AGENT_SERVICE_URL", "STATE_SERVICE_URL")}
    dead = build(load_settings({
        **addresses, "MONGODB_URL": f"mongodb://127.0.0.1:{free_port()}/none", "JWT_SECRET": SECRET,
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "MONGODB_SERVER_SELECTION_TIMEOUT_MS": "1"}), DeadBroker())
    provide(client.application, dead)
    for asked in operations(client.document(), IDS):
        if asked.name in ("getMetrics", "simulateGivenTemplate"):  # a process counts and simulates without a server
            continue
        answer = client.open(asked.address, method=asked.method, json=asked.body, headers=admin)
        check(answer, asked)
        assert "MongoDB" in answer.json["message"] and "127.0.0.1" not in answer.text


def test_each_endpoint_while_the_database_dies_at_any_moment(client: CheckedClient, admin: Headers) -> None:
    refused = 0
    for name in [asked.name for asked in operations(client.document(), IDS)]:
        fuse, worker = Fuse(), HandWorker()
        service = a_real_service(SECRET, worker, rewire=with_a_dead(fuse, "stores", "templates", "events"))
        world = a_world(client, admin, service, worker)
        asked = next(one for one in operations(client.document(), world.ids) if one.name == name)
        for moment in range(_MANY):
            fuse.calls = moment
            answer = client.open(asked.address, method=asked.method, json=asked.body, headers=admin)
            if not fuse.has_blown:
                break
            if answer.status_code >= 500:
                check(answer, asked, moment)
                refused += 1
        assert not fuse.has_blown, name
    assert refused > _MANY / 4


def test_the_api_works_on_while_the_services_around_it_are_dead(client: CheckedClient, admin: Headers) -> None:
    fuse, worker = Fuse(dependency="Its service"), HandWorker()
    service = a_real_service(SECRET, worker, rewire=with_a_dead(fuse, "agents", "state"))
    world = a_world(client, admin, service, worker)
    fuse.calls = 0
    client.delete(f"/api/v1/holds/{world.ids['holdId']}", headers=admin)
    answers = {}
    for asked in operations(client.document(), world.ids):
        answer = client.open(asked.address, method=asked.method, json=asked.body, headers=admin)
        answers[asked.name] = answer.status_code
    # to validate against live agents is all that the one is for
    assert {name for name, status in answers.items() if status >= 500} <= {"validateTemplate"}
    assert answers["getExecution"] == 200


def test_what_needs_the_shared_context_can_not_start_without_it(client: CheckedClient, admin: Headers) -> None:
    fuse, worker = Fuse(dependency="The State Management Service"), HandWorker()
    provide(client.application, a_real_service(SECRET, worker, rewire=with_a_dead(fuse, "state")))
    block = {**TEMPLATE["blocks"][0], "configuration": {"region": "${context.region}"}}
    client.post("/api/v1/templates", json={**TEMPLATE, "blocks": [block]}, headers=admin)
    fuse.calls = 0
    answer = client.post("/api/v1/executions", json=START, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)


def test_a_dead_broker_changes_no_answer(client: CheckedClient, admin: Headers) -> None:
    service = a_real_service(SECRET, HandWorker(), rewire=lambda ports: replace(ports, dispatcher=DeadBroker()))
    provide(client.application, service)
    answers = [client.post(f"/api/v1/{place}", json=body, headers=admin).status_code
               for place, body in (("templates", TEMPLATE), ("executions", START), ("holds", PLACE_HOLD))]
    assert answers == [201, 201, 201]
