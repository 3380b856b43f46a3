"""Metrics over HTTP: who may read them, and that requests and work move them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from tests.support.scrape import samples
from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application
from workflow_service.domain.template_schema import ROLES
from workflow_service.metrics.registry import Registry


@pytest.fixture
def application(edge: Flask) -> Application:
    """The real service behind the edge."""
    application = replace(a_real_service(SECRET, HandWorker()), metrics=Registry({}))
    provide(edge, application)
    return application


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_services_own_workspace_may_read(application: Application, client: CheckedClient,
                                                           signed: SignedHeaders, role: str) -> None:
    provide(client.application, application)
    answer = client.get("/metrics", headers=signed(role, workspace="default"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "workflow_leases_lost_total" in samples(answer.data)


def test_other_workspaces_may_not(application: Application, client: CheckedClient, signed: SignedHeaders) -> None:
    provide(client.application, application)
    answer = client.get("/metrics", headers=signed("admin", workspace="acme"))
    assert (answer.status_code, answer.json["error"]) == (403, "forbidden")
    assert client.get("/metrics").status_code == 401


def test_requests_are_counted_by_what_they_were(application: Application, client: CheckedClient,
                                                signed: SignedHeaders) -> None:
    provide(client.application, application)
    headers = signed("admin")
    for url in ("/api/v1/templates", "/api/v1/templates", "/api/v1/templates/unknown", "/nowhere/a", "/nowhere/b"):
        client.get(url, headers=headers)
    client.open("/api/v1/templates", method="BREW", headers=headers)
    client.get("/api/v1/templates")
    found = {name.partition("{")[2]: value for name, value in samples(application.metrics.text()).items()
             if name.startswith("workflow_http_requests_total") and "api-docs" not in name}
    one = 'endpoint="templates.'
    assert {name: value for name, value in found.items() if one not in name} == {
        'endpoint="none",method="GET",status="404"}': 2.0, 'endpoint="none",method="other",status="405"}': 1.0}
    assert sorted(value for name, value in found.items() if one in name) == [1.0, 1.0, 2.0]
    assert sum(one in name and 'status="401"' in name for name in found) == 1
    assert sum(one in name and 'status="404"' in name for name in found) == 1


def test_nothing_that_a_caller_makes_up_is_shown(application: Application, client: CheckedClient,
                                                 signed: SignedHeaders) -> None:
    provide(client.application, application)
    headers = signed("admin")
    client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "made-up-id"}, headers=headers)
    client.post("/api/v1/executions", json={**START, "templateId": "made-up-id"}, headers=headers)
    client.get("/api/v1/templates/made-up-id", headers=headers)
    assert b"made-up" not in application.metrics.text()
