"""Who gets in, and what each role may do."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import (
    PLACE_HOLD,
    RESPONSE,
    SEND_SIGNAL,
    SIMULATE_GIVEN,
    START,
    TEMPLATE,
    TEMPLATE_UPDATE,
)
from web.auth import PERMISSIONS, PUBLIC_ENDPOINTS
from web.context import provide
from web.tokens import issue_token
from workflow_service.domain.template_schema import ROLES
from workflow_service.services.health import Health

EVERYBODY = set(ROLES)
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/api/v1/templates", TEMPLATE, {"designer", "admin"}),
    ("GET", "/api/v1/templates", None, EVERYBODY),
    ("GET", "/api/v1/templates/t1", None, EVERYBODY),
    ("PUT", "/api/v1/templates/t1", TEMPLATE_UPDATE, {"designer", "admin"}),
    ("GET", "/api/v1/templates/t1/versions", None, EVERYBODY),
    ("GET", "/api/v1/templates/t1/diff?from=1.0.0", None, EVERYBODY),
    ("GET", "/api/v1/templates/t1/export", None, EVERYBODY),
    ("POST", "/api/v1/templates/t1/simulate", {}, EVERYBODY),
    ("POST", "/api/v1/simulations", SIMULATE_GIVEN, EVERYBODY),
    ("POST", "/api/v1/templates/t1/validate", None, EVERYBODY),
    ("POST", "/api/v1/templates/t1/plan", None, EVERYBODY),
    ("POST", "/api/v1/templates/t1/publish", None, {"designer", "admin"}),
    ("POST", "/api/v1/templates/t1/archive", None, {"designer", "admin"}),
    ("DELETE", "/api/v1/templates/t9", None, {"designer", "admin"}),
    ("POST", "/api/v1/executions", START, {"operator", "admin"}),
    ("GET", "/api/v1/executions", None, EVERYBODY),
    ("GET", "/api/v1/executions/run-1", None, EVERYBODY),
    ("GET", "/api/v1/executions/run-1/events", None, EVERYBODY),
    ("GET", "/api/v1/executions/run-1/logs", None, EVERYBODY),
    ("GET", "/api/v1/executions/run-1/verify", None, EVERYBODY),
    ("GET", "/api/v1/executions/run-1/signals", None, EVERYBODY),
    ("POST", "/api/v1/executions/run-1/signals/payment", SEND_SIGNAL, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/pause", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/resume", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/cancel", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/restart", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/blocks/extract/skip", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/blocks/extract/retry", None, {"operator", "admin"}),
    ("POST", "/api/v1/executions/run-9/blocks/extract/cancel", None, {"operator", "admin"}),
    ("GET", "/api/v1/holds", None, EVERYBODY),
    ("POST", "/api/v1/holds", PLACE_HOLD, {"operator", "admin"}),
    ("DELETE", "/api/v1/holds/h9", None, {"operator", "admin"}),
    ("GET", "/api/v1/approvals/pending", None, EVERYBODY),
    ("GET", "/api/v1/approvals/a1", None, EVERYBODY),
    ("POST", "/api/v1/approvals/a1/respond", RESPONSE, {"approver", "admin"}),
    ("GET", "/metrics", None, set()),  # of a workspace that is not the service's own: nobody
]
"""Method, address, body, and who may."""
PUBLIC = ["/health", "/ready", "/api/openapi.json", "/api/docs", "/api/docs/swagger-ui.css", "/"]


@pytest.fixture
def app(edge: Flask) -> Flask:
    """The edge around the real service."""
    healthy = Health(dict.fromkeys(("mongodb", "redis", "agent_service", "state_service"), lambda: None))
    provide(edge, replace(a_real_service(SECRET, HandWorker()), health=healthy))
    return edge


@pytest.fixture(autouse=True)
def stored(client: CheckedClient, admin: Headers) -> None:
    """There is a template and an execution of it."""
    client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "t1"}, headers=admin)
    client.post("/api/v1/executions", json={**START, "templateId": "t1"}, headers=admin)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "url", "body", "allowed"), ROUTES)
def test_each_role_may_do_what_the_table_says(client: CheckedClient, signed: SignedHeaders, method: str,
                                              url: str, body: Any, allowed: set[str], role: str) -> None:
    answer = client.open(url, method=method, json=body, headers=signed(role))
    if role in allowed:
        assert answer.status_code in (200, 201, 202, 404)
    else:
        assert (answer.status_code, answer.json["error"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "url", "body", "allowed"), ROUTES)
def test_nothing_without_a_token(client: CheckedClient, method: str, url: str, body: Any, allowed: set[str]) -> None:
    answer = client.open(url, method=method, json=body)
    assert (answer.status_code, answer.json["error"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_tables_name_every_endpoint(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    tested = {(adapter.match(url.partition("?")[0], method)[0], method) for method, url, _, _ in ROUTES}
    public = {adapter.match(url, "GET")[0] for url in PUBLIC}
    every = {(rule.endpoint, method) for rule in app.url_map.iter_rules()
             for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert public == PUBLIC_ENDPOINTS
    assert tested == {(endpoint, method) for endpoint, method in every if endpoint not in public}


@pytest.mark.parametrize("url", PUBLIC)
def test_public_addresses_need_no_token(client: CheckedClient, url: str) -> None:
    assert client.get(url).status_code in (200, 302)


def test_roles_of_the_table_are_those_of_the_domain() -> None:
    assert set(PERMISSIONS) == EVERYBODY
    assert all(PERMISSIONS[role] <= PERMISSIONS["admin"] for role in ROLES)


def test_a_refused_body_is_not_even_read(client: CheckedClient, signed: SignedHeaders) -> None:
    answer = client.post("/api/v1/templates", data=b"{", content_type="text/plain", headers=signed("viewer"))
    assert answer.status_code == 403


def _claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ada", "role": "admin", "workspace": "acme", "exp": datetime.now(UTC) + timedelta(minutes=5), **more}


def _signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode({name: claim for name, claim in claims.items() if claim is not None}, secret, algorithm,
                      headers=headers or None)


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps(part, default=str).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("authorization", [
    "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer a b", "Basic YWRhOnNlY3JldA==", "Token x",
    "Bearer \xff\xfe", "Bearer ..", "Bearer " + "a" * 5000, "Bearer x, Bearer y", ",", "Bearer eyJhbGciOiJIUzI1NiJ9..",
    "Bearer W10.W10.W10", "Bearer bnVsbA.bnVsbA.bnVsbA",
])
def test_what_is_no_token(client: CheckedClient, authorization: str) -> None:
    answer = client.get("/api/v1/templates", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json["error"]) == (401, "unauthenticated")


@pytest.mark.parametrize("token", [
    _signed(_claims(), secret="another-secret-that-nobody-gave-us-01234567"),
    _signed(_claims(), algorithm="HS512"),
    _signed(_claims(exp=datetime.now(UTC) - timedelta(seconds=1))),
    _signed(_claims(exp=None)),
    _signed(_claims(exp="tomorrow")),
    _signed(_claims(nbf=datetime.now(UTC) + timedelta(hours=1))),
    _signed(_claims(sub=None)),
    _signed(_claims(sub="")),
    _signed(_claims(sub="x" * 201)),
    _signed(_claims(sub="new\nline")),
    _signed(_claims(role=None)),
    _signed(_claims(role="emperor")),
    _signed(_claims(role="Admin")),
    _signed(_claims(workspace=None)),
    _signed(_claims(workspace="")),
    _signed(_claims(workspace="a/b")),
    _signed(_claims(workspace=7)),
    _signed(_claims(workspace="acme\n")),
    _signed(_claims(role=["admin"])),
    _signed(_claims(type="refresh")),
    _signed(_claims(), crit=["b64"]),
    _unsigned(_claims()),
    _signed(_claims())[:-2],
])
def test_tokens_that_are_not_trusted(client: CheckedClient, token: str) -> None:
    answer = client.get("/api/v1/templates", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["error"]) == (401, "unauthenticated")


def test_an_expired_token_is_told_so(client: CheckedClient) -> None:
    token = _signed(_claims(exp=datetime.now(UTC) - timedelta(seconds=1)))
    answer = client.get("/api/v1/templates", headers={"Authorization": f"Bearer {token}"})
    assert answer.json["message"] == "The token has expired."


def test_a_token_in_the_address_is_not_looked_at(client: CheckedClient) -> None:
    assert client.get(f"/api/v1/templates?jwt={_signed(_claims())}").status_code == 401


@pytest.mark.parametrize(("user", "role", "workspace"), [
    ("", "admin", "acme"), ("ada", "emperor", "acme"), ("ada", "admin", "a b"), ("ada\0", "admin", "acme")])
def test_no_token_is_issued_that_would_be_refused(user: str, role: str, workspace: str) -> None:
    with pytest.raises(ValueError, match="A token needs"):
        issue_token(SECRET, user, role, workspace, timedelta(minutes=1))


def test_options_tell_the_methods_without_a_token(client: CheckedClient) -> None:
    answer = client.options("/api/v1/templates")
    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.allow)
