"""One id ties a request, its answer and every line about it together, however the request ends."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.fakes import FakeApplication
from tests.web.real_service import HandWorker, a_real_service
from tests.web.world import a_world
from web.api.schemas.examples import TEMPLATE
from web.json_body import MAX_BYTES
from workflow_service.domain.errors import Unavailable

URL = "/api/v1/templates"
JSON = {"Content-Type": "application/json"}
WITH_LINES = [structlog.contextvars.merge_contextvars]


def check(answer: Any, lines: list[Any], status: int) -> None:
    """Hold an answer and the lines about it against the id that was sent."""
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (status, "call-42")
    assert answer.mimetype != "application/json" or status < 400 or answer.json["requestId"] == "call-42"
    assert [line["status"] for line in lines if line["event"] == "request_answered"] == [status]
    assert {line.get("request_id") for line in lines} == {"call-42"}


@pytest.mark.parametrize(("method", "url", "body", "headers", "status"), [
    ("GET", URL, None, {}, 200),
    ("GET", "/health", None, {}, 200),
    ("GET", "/", None, {}, 302),
    ("GET", "/api/docs", None, {}, 200),
    ("OPTIONS", URL, None, {}, 200),
    ("HEAD", URL, None, {}, 200),
    ("GET", "/nowhere", None, {}, 404),
    ("GET", f"{URL}/none", None, {}, 404),
    ("DELETE", URL, None, {}, 405),
    ("POST", URL, b"{", JSON, 400),
    ("POST", URL, b"{}", {"Content-Type": "text/plain"}, 415),
    ("POST", URL, b"{}", JSON, 422),
    ("GET", f"{URL}?limit=0", None, {}, 422),
    ("POST", URL, b" " * (MAX_BYTES + 1), JSON, 413),
    ("GET", URL, None, {"Authorization": "Bearer forged"}, 401),
])
def test_every_answer_carries_the_id(client: CheckedClient, admin: Headers, method: str, url: str, body: bytes | None,
                                     headers: Headers, status: int) -> None:
    client.document()
    with capture_logs(processors=WITH_LINES) as lines:
        answer = client.open(url, method=method, data=body, headers={**admin, "X-Request-ID": "call-42", **headers})
    check(answer, lines, status)


@pytest.mark.parametrize(("error", "status"), [(Unavailable("MongoDB"), 503), (RuntimeError("a fault of ours"), 500)])
def test_a_request_that_fails_here_does_too(client: CheckedClient, admin: Headers, service: FakeApplication,
                                            error: Exception, status: int) -> None:
    client.document()
    service.templates.raises = error
    with capture_logs(processors=WITH_LINES) as lines:
        answer = client.post(URL, json=TEMPLATE, headers={**admin, "X-Request-ID": "call-42"})
    check(answer, lines, status)


def test_a_refusal_names_who_was_refused(client: CheckedClient, signed: SignedHeaders) -> None:
    client.document()
    with capture_logs(processors=WITH_LINES) as lines:
        answer = client.post(URL, json=TEMPLATE, headers={**signed("viewer", "vera"), "X-Request-ID": "call-42"})
    check(answer, lines, 403)
    assert all((line["user"], line["role"], line["workspace"]) == ("vera", "viewer", "acme") for line in lines)


def test_the_next_request_does_not_inherit_the_user(client: CheckedClient, admin: Headers) -> None:
    client.get(URL, headers=admin)
    with capture_logs(processors=WITH_LINES) as lines:
        client.get("/health")
    assert lines and not [line for line in lines if "user" in line]


def test_a_stream_carries_the_id_from_its_first_byte(client: CheckedClient, admin: Headers) -> None:
    worker = HandWorker()
    service = a_real_service(SECRET, worker)
    world = a_world(client, admin, service, worker)
    execution = world.ids["executionId"]
    client.post(f"/api/v1/executions/{execution}/cancel", headers=admin)
    worker.work(service)
    assert client.get(f"/api/v1/executions/{execution}", headers=admin).json["status"] == "cancelled"
    with capture_logs(processors=WITH_LINES) as lines:
        answer = client.get(f"/api/v1/executions/{execution}/logs?follow=true",
                            headers={**admin, "X-Request-ID": "call-42"})
    check(answer, lines, 200)
    assert answer.mimetype == "text/event-stream"
