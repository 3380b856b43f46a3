"""Signals over HTTP, with the real service behind them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application

URL = "/api/v1/executions/run-1"
WAITS: dict[str, Any] = {"blockId": "w", "waitFor": {"signals": ["payment", "refusal"], "timeout": 60_000}}


@pytest.fixture
def worker() -> HandWorker:
    """A worker."""
    return HandWorker()


@pytest.fixture
def real(worker: HandWorker) -> Application:
    """The real service."""
    return a_real_service(SECRET, worker)


@pytest.fixture
def app(edge: Flask, real: Application) -> Flask:
    """The edge around the real service."""
    provide(edge, real)
    return edge


@pytest.fixture(autouse=True)
def started(client: CheckedClient, admin: Headers, real: Application, worker: HandWorker) -> None:
    """There is an execution that waits for a signal."""
    assert client.post("/api/v1/templates", json={**TEMPLATE, "blocks": [WAITS]}, headers=admin).status_code == 201
    client.post("/api/v1/executions", json={"templateId": TEMPLATE["templateId"]}, headers=admin)
    worker.work(real)


def test_a_signal_ends_the_wait(client: CheckedClient, admin: Headers, signed: SignedHeaders, real: Application,
                                worker: HandWorker) -> None:
    shown = client.get(URL, headers=admin).json["blockExecutions"][0]
    assert (shown["waitingFor"]["signals"], shown["waitingFor"]["mode"]) == (["payment", "refusal"], "any")
    sent = client.post(f"{URL}/signals/payment", json={"payload": {"amount": 120}},
                       headers=signed("operator", user="olga"))
    assert (sent.status_code, sent.json["takenBy"], sent.json["sentBy"]) == (202, "w", "olga")
    worker.work(real)
    shown = client.get(URL, headers=admin).json
    assert (shown["status"], shown["blockExecutions"][0]["waitingFor"]) == ("completed", None)
    assert shown["blockExecutions"][0]["output"] == {
        "timedOut": False, "signal": "payment", "signals": {"payment": {"amount": 120}}}
    events = client.get(f"{URL}/events", headers=admin).json["events"]
    told = [event["message"] for event in events if event["type"].startswith("signal_")]
    assert told == ["Signal 'payment' came from olga", "Signal 'payment' was taken for block 'w'"]


def test_a_signal_without_a_body_has_an_empty_payload(client: CheckedClient, admin: Headers) -> None:
    assert client.post(f"{URL}/signals/other", headers=admin).status_code == 202
    page = client.get(f"{URL}/signals", headers=admin).json
    assert (page["total"], page["signals"][0]["payload"], page["signals"][0]["takenBy"]) == (1, {}, None)


def test_a_key_sends_one_signal(client: CheckedClient, admin: Headers) -> None:
    headers = {**admin, "Idempotency-Key": "k"}
    first, again = (client.post(f"{URL}/signals/other", json={"payload": {"n": 1}}, headers=headers) for _ in range(2))
    assert (first.status_code, first.headers.get("Idempotency-Replayed")) == (202, None)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json == first.json
    other = client.post(f"{URL}/signals/other", json={"payload": {"n": 2}}, headers=headers)
    assert (other.status_code, other.json["error"]) == (422, "idempotency_key_reused")
    bad = client.post(f"{URL}/signals/other", headers={**admin, "Idempotency-Key": "k" * 256})
    assert (bad.status_code, list(bad.json["errors"])) == (422, ["Idempotency-Key"])


@pytest.mark.parametrize(("body", "path"), [
    ({"payload": 1}, "payload"), ({"payload": None}, "payload"), ({"payload": {}, "name": "x"}, "name")])
def test_what_is_no_signal(client: CheckedClient, admin: Headers, body: dict[str, Any], path: str) -> None:
    answer = client.post(f"{URL}/signals/payment", json=body, headers=admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [path])


@pytest.mark.parametrize("name", ["no%20id", "a.b", "n" * 129])
def test_a_name_is_an_id(client: CheckedClient, admin: Headers, name: str) -> None:
    assert client.post(f"{URL}/signals/{name}", json={}, headers=admin).status_code == 404


def test_there_is_no_such_execution(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    for address, headers in (("/api/v1/executions/unknown", admin), (URL, signed(workspace="other"))):
        assert client.post(f"{address}/signals/payment", json={}, headers=headers).status_code == 404
        assert client.get(f"{address}/signals", headers=headers).status_code == 404


def test_an_execution_that_has_ended_takes_none(client: CheckedClient, admin: Headers, real: Application,
                                                worker: HandWorker) -> None:
    client.post(f"{URL}/signals/payment", json={}, headers=admin)
    worker.work(real)
    answer = client.post(f"{URL}/signals/payment", json={}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (409, "conflict")


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("designer", 403), ("approver", 403), ("operator", 202)])
def test_who_may_start_may_signal(client: CheckedClient, signed: SignedHeaders, role: str, status: int) -> None:
    assert client.post(f"{URL}/signals/payment", json={}, headers=signed(role)).status_code == status
    assert client.get(f"{URL}/signals", headers=signed(role)).status_code == 200


def test_signals_are_paged(client: CheckedClient, admin: Headers) -> None:
    for number in range(3):
        client.post(f"{URL}/signals/s{number}", json={}, headers=admin)
    page = client.get(f"{URL}/signals?limit=1&offset=1", headers=admin).json
    assert ([signal["name"] for signal in page["signals"]], page["total"]) == (["s1"], 3)
    assert client.get(f"{URL}/signals?limit=0", headers=admin).status_code == 422
