"""Drafts, publishing, archiving and deleting over HTTP, on the real engine."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE, TEMPLATE_UPDATE
from web.context import provide
from workflow_service.bootstrap import Application

URL = "/api/v1/templates/contract-review"


@pytest.fixture
def worker() -> HandWorker:
    """A worker that does nothing until it is told to."""
    return HandWorker()


@pytest.fixture
def engine(worker: HandWorker) -> Application:
    """The real service."""
    return a_real_service(SECRET, worker)


@pytest.fixture
def app(edge: Flask, engine: Application) -> Flask:
    """The edge around it."""
    provide(edge, engine)
    return edge


@pytest.fixture(autouse=True)
def stored(app: Flask, client: CheckedClient, admin: Headers) -> None:
    """There is a template."""
    assert client.post("/api/v1/templates", json=TEMPLATE, headers=admin).status_code == 201


def _listed(client: CheckedClient, admin: Headers, query: str = "") -> list[str]:
    page = client.get(f"/api/v1/templates{query}", headers=admin).json
    return [template["templateId"] for template in page["templates"]]


def _start(client: CheckedClient, admin: Headers, **more: Any) -> Any:
    return client.post("/api/v1/executions", json={**START, **more}, headers=admin)


def test_template_is_published_if_nothing_is_said(client: CheckedClient, admin: Headers) -> None:
    assert client.get(URL, headers=admin).json["status"] == "published"
    versions = client.get(f"{URL}/versions", headers=admin).json["versions"]
    assert [version["status"] for version in versions] == ["published"]


def test_draft_is_not_started_until_it_is_published(client: CheckedClient, admin: Headers) -> None:
    draft = {**TEMPLATE, "templateId": "draft", "status": "draft"}
    created = client.post("/api/v1/templates", json=draft, headers=admin)
    assert (created.status_code, created.json["status"]) == (201, "draft")
    refused = _start(client, admin, templateId="draft")
    assert (refused.status_code, refused.json["error"]) == (409, "template_is_draft")
    for _ in range(2):
        published = client.post("/api/v1/templates/draft/publish", headers=admin)
        assert (published.status_code, published.json["status"], published.headers["ETag"]) == (
            200, "published", '"1.0.0"')
    assert _start(client, admin, templateId="draft").status_code == 201


def test_draft_of_a_next_version_leaves_the_published_one_to_start(client: CheckedClient, admin: Headers) -> None:
    body = {**TEMPLATE_UPDATE, "name": "Next", "status": "draft"}
    assert client.put(URL, json=body, headers=admin).json["version"] == "1.0.1"
    execution = client.get(f"/api/v1/executions/{_start(client, admin).json['executionId']}", headers=admin).json
    assert execution["templateVersion"] == "1.0.0"
    refused = _start(client, admin, templateVersion="1.0.1")
    assert (refused.status_code, refused.json["error"]) == (409, "template_is_draft")
    client.post(f"{URL}/publish", headers=admin)
    execution = client.get(f"/api/v1/executions/{_start(client, admin).json['executionId']}", headers=admin).json
    assert execution["templateVersion"] == "1.0.1"


def test_update_with_the_content_of_a_draft_publishes_it(client: CheckedClient, admin: Headers) -> None:
    draft = {**TEMPLATE_UPDATE, "name": "Next", "status": "draft"}
    client.put(URL, json=draft, headers=admin)
    assert client.put(URL, json=draft, headers=admin).json["status"] == "draft"
    answer = client.put(URL, json={**TEMPLATE_UPDATE, "name": "Next"}, headers=admin).json
    assert (answer["version"], answer["status"]) == ("1.0.1", "published")
    assert client.put(URL, json=draft, headers=admin).json["status"] == "published"
    assert client.get(URL, headers=admin).json["status"] == "published"


@pytest.mark.parametrize("status", ["archived", "deleted", "Draft", "", None, 1])
def test_status_that_nobody_can_write(client: CheckedClient, admin: Headers, status: Any) -> None:
    for answer in (client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "t2", "status": status},
                               headers=admin),
                   client.put(URL, json={**TEMPLATE, "status": status}, headers=admin)):
        assert (answer.status_code, answer.json["error"]) == (422, "invalid_template")
        assert "status" in answer.json["errors"]


def test_archived_template_is_put_away(client: CheckedClient, admin: Headers) -> None:
    running = _start(client, admin).json["executionId"]
    for _ in range(2):
        assert client.post(f"{URL}/archive", headers=admin).json["status"] == "archived"
    assert _listed(client, admin) == []
    assert _listed(client, admin, "?status=archived") == ["contract-review"]
    assert client.get(URL, headers=admin).json["status"] == "archived"
    assert client.get(f"{URL}?version=1.0.0", headers=admin).json["status"] == "archived"
    assert client.get(f"/api/v1/executions/{running}", headers=admin).json["status"] == "running"
    for refused in (_start(client, admin), _start(client, admin, templateVersion="1.0.0"),
                    client.put(URL, json={**TEMPLATE_UPDATE, "name": "New"}, headers=admin)):
        assert (refused.status_code, refused.json["error"]) == (409, "template_is_archived")
    client.post(f"{URL}/publish", headers=admin)
    assert _listed(client, admin) == ["contract-review"]
    assert _start(client, admin).status_code == 201


def test_template_is_not_deleted_while_executions_run(client: CheckedClient, admin: Headers, worker: HandWorker,
                                                      engine: Application) -> None:
    running = [_start(client, admin).json["executionId"] for _ in range(7)]
    refused = client.delete(URL, headers=admin)
    assert (refused.status_code, refused.json["error"]) == (409, "template_in_use")
    assert "7 executions" in refused.json["message"] and "..." in refused.json["message"]
    assert sum(name in refused.json["message"].replace(":", " ").replace(",", " ").split() for name in running) == 5
    for name in running:
        client.post(f"/api/v1/executions/{name}/cancel", headers=admin)
    worker.work(engine)
    assert client.delete(URL, headers=admin).json == {"success": True}


def test_deleted_template_is_gone_and_its_executions_keep_their_version(
        client: CheckedClient, admin: Headers, worker: HandWorker, engine: Application) -> None:
    ended = _start(client, admin).json["executionId"]
    client.post(f"/api/v1/executions/{ended}/cancel", headers=admin)
    worker.work(engine)
    assert client.delete(URL, headers=admin).json == {"success": True}
    assert _listed(client, admin) == _listed(client, admin, "?status=archived") == []
    for method, url in [("GET", URL), ("GET", f"{URL}?version=1.0.0"), ("GET", f"{URL}/versions"), ("DELETE", URL),
                        ("GET", f"{URL}/export"), ("GET", f"{URL}/diff?from=1.0.0"), ("POST", f"{URL}/plan"),
                        ("POST", f"{URL}/validate"), ("POST", f"{URL}/publish"), ("POST", f"{URL}/archive")]:
        assert client.open(url, method=method, headers=admin).status_code == 404, url
    assert client.put(URL, json=TEMPLATE_UPDATE, headers=admin).status_code == 404
    assert _start(client, admin).status_code == _start(client, admin, templateVersion="1.0.0").status_code == 404
    assert client.get(f"/api/v1/executions/{ended}", headers=admin).json["templateVersion"] == "1.0.0"
    assert client.get(f"/api/v1/executions/{ended}/verify", headers=admin).status_code == 200
    again = client.post(f"/api/v1/executions/{ended}/restart", json={}, headers=admin)
    assert again.status_code == 200
    worker.work(engine)
    assert client.get(f"/api/v1/executions/{ended}", headers=admin).json["status"] == "waiting"


def test_deleted_id_stays_with_its_workspace(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    client.delete(URL, headers=admin)
    elsewhere = client.post("/api/v1/templates", json={**TEMPLATE, "version": "9.0.0"},
                            headers=signed(workspace="other"))
    assert (elsewhere.status_code, elsewhere.json["error"]) == (409, "already_exists")
    same = client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    assert (same.status_code, same.json["error"]) == (409, "version_not_greater")
    assert "1.0.0" in same.json["message"]
    assert client.post("/api/v1/templates", json={**TEMPLATE, "version": "1.0.1"}, headers=admin).status_code == 201
    assert client.get(URL, headers=admin).json["version"] == "1.0.1"


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("POST", "/publish"), ("POST", "/archive")])
def test_template_of_another_workspace_is_not_touched(client: CheckedClient, admin: Headers, signed: SignedHeaders,
                                                      method: str, path: str) -> None:
    assert client.open(URL + path, method=method, headers=signed(workspace="other")).status_code == 404
    assert client.get(URL, headers=admin).json["status"] == "published"


def test_list_leads_from_page_to_page(client: CheckedClient, admin: Headers) -> None:
    for number in range(4):
        client.post("/api/v1/templates", json={**TEMPLATE, "templateId": f"t{number}"}, headers=admin)
    seen, address = [], "/api/v1/templates?limit=2&tags=legal"
    while address:
        answer = client.get(address, headers=admin)
        seen += [template["templateId"] for template in answer.json["templates"]]
        assert answer.json["total"] == 5
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["nextCursor"] is None)
        address = link.removeprefix("<").removesuffix('>; rel="next"') if link else ""
        assert not address or ("tags=legal" in address and answer.json["nextCursor"] in address)
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("cursor", ["x", "!", "W10", "bnVsbA", "e30", "a" * 999, "WzEsMl0", "WzEsImEgYiJd",
                                    "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIl0", "%C3%A9"])
def test_cursor_that_is_none(client: CheckedClient, admin: Headers, cursor: str) -> None:
    answer = client.get(f"/api/v1/templates?cursor={cursor}", headers=admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])
