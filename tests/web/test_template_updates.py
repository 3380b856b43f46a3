"""New versions of templates over HTTP, with the real use cases of templates behind it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import TEMPLATE, TEMPLATE_UPDATE
from web.context import provide

URL = "/api/v1/templates/contract-review"


@pytest.fixture
def app(edge: Flask) -> Flask:
    """The edge around the templates of the real service."""
    provide(edge, a_real_service(SECRET, HandWorker()))
    return edge


@pytest.fixture(autouse=True)
def stored(client: CheckedClient, admin: Headers) -> None:
    """There is a template."""
    assert client.post("/api/v1/templates", json=TEMPLATE, headers=admin).status_code == 201


def test_update_without_a_version_gets_the_next_patch_version(client: CheckedClient, admin: Headers,
                                                              signed: SignedHeaders) -> None:
    answer = client.put(URL, json={**TEMPLATE_UPDATE, "name": "Review"}, headers=signed("designer", user="bob"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1.0.1"')
    assert {name: answer.json[name] for name in ("templateId", "name", "version", "createdBy", "updatedBy")} == {
        "templateId": "contract-review", "name": "Review", "version": "1.0.1", "createdBy": "ada", "updatedBy": "bob"}
    assert client.get(URL, headers=admin).json == answer.json
    assert client.get(f"{URL}?version=1.0.0", headers=admin).json["name"] == "Contract review"


def test_update_names_its_version(client: CheckedClient, admin: Headers) -> None:
    assert client.put(URL, json={**TEMPLATE, "version": "2.0.0"}, headers=admin).json["version"] == "2.0.0"


def test_same_content_stores_nothing(client: CheckedClient, admin: Headers) -> None:
    before = client.get(URL, headers=admin)
    for body in (TEMPLATE, TEMPLATE_UPDATE):
        answer = client.put(URL, json=body, headers=admin)
        assert (answer.json, answer.headers["ETag"]) == (before.json, '"1.0.0"')


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9"])
def test_version_that_is_not_greater_is_a_conflict(client: CheckedClient, admin: Headers, version: str) -> None:
    answer = client.put(URL, json={**TEMPLATE, "name": "Review", "version": version}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (409, "version_not_greater")
    assert "1.0.0" in answer.json["message"]


@pytest.mark.parametrize("tag", ['"1.0.0"', "*", "1.0.0"])
def test_etag_of_the_latest_lets_an_update_through(client: CheckedClient, admin: Headers, tag: str) -> None:
    assert client.get(URL, headers=admin).headers["ETag"] == '"1.0.0"'
    answer = client.put(URL, json={**TEMPLATE_UPDATE, "name": "Review"}, headers={**admin, "If-Match": tag})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1.0.1"')


def test_etag_of_an_older_version_does_not(client: CheckedClient, admin: Headers) -> None:
    stale = {**admin, "If-Match": '"1.0.0"'}
    assert client.put(URL, json={**TEMPLATE_UPDATE, "name": "Mine"}, headers=stale).status_code == 200
    answer = client.put(URL, json={**TEMPLATE_UPDATE, "name": "Yours"}, headers=stale)
    assert (answer.status_code, answer.json["error"]) == (412, "stale_version")
    assert client.get(URL, headers=admin).json["name"] == "Mine"


def test_update_whose_answer_was_lost_may_be_repeated(client: CheckedClient, admin: Headers) -> None:
    answers = [client.put(URL, json={**TEMPLATE_UPDATE, "name": "Mine"}, headers={**admin, "If-Match": '"1.0.0"'})
               for _ in range(2)]
    assert [(answer.status_code, answer.headers["ETag"]) for answer in answers] == [(200, '"1.0.1"')] * 2


@pytest.mark.parametrize("tag", ["", '"1.0.0", "1.0.1"', 'W/"1.0.0"'])
def test_if_match_that_can_not_be_used(client: CheckedClient, admin: Headers, tag: str) -> None:
    answer = client.put(URL, json={**TEMPLATE_UPDATE, "name": "Mine"}, headers={**admin, "If-Match": tag})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"If-Match"})


@pytest.mark.parametrize(("change", "path"), [
    ({"templateId": "another"}, "templateId"),
    ({"version": "1.1"}, "version"),
    ({"version": None}, "version"),
    ({"blocks": []}, "blocks"),
    ({"colour": "red"}, "colour"),
    ({"blocks": [{"blockId": "a", "agentId": "nobody", "toolType": "api"}]}, "blocks[0].agentId"),
])
def test_update_is_checked_like_a_new_template(client: CheckedClient, admin: Headers, change: dict[str, Any],
                                               path: str) -> None:
    answer = client.put(URL, json={**TEMPLATE_UPDATE, **change}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_template")
    assert any(path in found or path in faults[0]["message"] for found, faults in answer.json["errors"].items())
    assert client.get(URL, headers=admin).json["version"] == "1.0.0"


@pytest.mark.parametrize("url", [URL.replace("contract", "unknown"), URL])
def test_update_of_what_the_workspace_does_not_have(client: CheckedClient, signed: SignedHeaders, url: str) -> None:
    elsewhere = signed(workspace="acme" if url != URL else "other")
    assert client.put(url, json=TEMPLATE_UPDATE, headers=elsewhere).status_code == 404
    assert client.get(f"{url}/versions", headers=elsewhere).status_code == 404


def test_versions_are_listed_the_oldest_first(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    client.put(URL, json={**TEMPLATE, "version": "1.10.0"}, headers=signed(user="bob"))
    client.put(URL, json={**TEMPLATE_UPDATE, "name": "Review"}, headers=admin)
    versions = client.get(f"{URL}/versions", headers=admin).json["versions"]
    assert [(version["version"], version["createdBy"]) for version in versions] == [
        ("1.0.0", "ada"), ("1.10.0", "bob"), ("1.10.1", "ada")]
    assert versions[0]["createdAt"] <= versions[1]["createdAt"] <= versions[2]["createdAt"]


def test_document_of_the_api_tells_of_the_headers(client: CheckedClient) -> None:
    address = client.document()["paths"]["/api/v1/templates/{templateId}"]
    assert "If-Match" in [parameter["name"] for parameter in address["put"]["parameters"]]
    assert all("ETag" in address[method]["responses"]["200"]["headers"] for method in ("get", "put"))
