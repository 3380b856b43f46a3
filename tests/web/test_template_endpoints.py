"""Templates over HTTP."""

from __future__ import annotations

from json import dumps
from typing import Any

import pytest

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers, SignedHeaders
from tests.web.fakes import FakeApplication
from web.api.schemas.examples import TEMPLATE
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.errors import Unavailable

URL = "/api/v1/templates"


def test_create_stores_the_document_as_it_was_written(client: CheckedClient, admin: Headers) -> None:
    answer = client.post(URL, json=TEMPLATE, headers=admin)
    assert answer.status_code == 201
    assert (answer.headers["Location"], answer.headers["ETag"]) == (f"{URL}/contract-review", '"1.0.0"')
    assert answer.json == {**TEMPLATE, "status": "published", "createdAt": "2025-08-21T09:30:00.123Z",
                           "updatedAt": "2025-08-21T09:30:00.123Z", "createdBy": "ada", "updatedBy": "ada"}
    assert list(answer.json)[:len(TEMPLATE)] == list(TEMPLATE)  # in the author's order


def test_created_template_is_where_location_says(client: CheckedClient, admin: Headers) -> None:
    created = client.post(URL, json=TEMPLATE, headers=admin)
    assert client.get(created.headers["Location"], headers=admin).json == created.json


def test_create_twice_is_a_conflict(client: CheckedClient, admin: Headers) -> None:
    client.post(URL, json=TEMPLATE, headers=admin)
    answer = client.post(URL, json=TEMPLATE, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (409, "already_exists")


def test_invalid_template_names_each_fault_by_its_path(client: CheckedClient, admin: Headers) -> None:
    blocks = [{"blockId": "a", "agentId": "x", "toolType": "telepathy"}, {"agentId": "x"}]
    answer = client.post(URL, json={**TEMPLATE, "blocks": blocks}, headers=admin)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_template")
    assert answer.json["message"] == "The template breaks its rules."
    assert set(answer.json["errors"]) == {"blocks[0].toolType", "blocks[1]"}
    assert answer.json["errors"]["blocks[1]"][0]["code"] == "required"


@pytest.mark.parametrize("body", [[], None, "text", 7, True])
def test_a_template_is_an_object(client: CheckedClient, admin: Headers, body: Any) -> None:
    answer = client.post(URL, data=dumps(body), content_type="application/json", headers=admin)
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"(whole)"})


def test_get_one_version(client: CheckedClient, admin: Headers) -> None:
    client.post(URL, json=TEMPLATE, headers=admin)
    assert client.get(f"{URL}/contract-review?version=1.0.0", headers=admin).status_code == 200
    assert client.get(f"{URL}/contract-review?version=9.9.9", headers=admin).status_code == 404


def test_templates_of_another_workspace_do_not_exist(client: CheckedClient, admin: Headers,
                                                     signed: SignedHeaders) -> None:
    client.post(URL, json=TEMPLATE, headers=admin)
    answer = client.get(f"{URL}/contract-review", headers=signed(workspace="other"))
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


def test_list_gives_templates_and_their_number(client: CheckedClient, admin: Headers) -> None:
    for name in ("one", "two", "three"):
        client.post(URL, json={**TEMPLATE, "templateId": name}, headers=admin)
    answer = client.get(f"{URL}?limit=1&offset=1", headers=admin)
    assert answer.json["total"] == 3
    assert [template["templateId"] for template in answer.json["templates"]] == ["two"]


@pytest.mark.parametrize(("query", "wanted"), [
    ("", TemplateFilter()),
    ("category=legal&search=con%20tract", TemplateFilter(category="legal", search="con tract")),
    ("tags=a&tags=b,c", TemplateFilter(tags=("a", "b,c"))),
    ("limit=200&offset=7", TemplateFilter(limit=200, offset=7)),
])
def test_query_becomes_a_filter(client: CheckedClient, admin: Headers, service: FakeApplication, query: str,
                                wanted: TemplateFilter) -> None:
    client.get(f"{URL}?{query}", headers=admin)
    assert service.templates.asked == [wanted]


@pytest.mark.parametrize(("query", "path", "code"), [
    ("limit=0", "limit", "invalid"),
    ("limit=201", "limit", "invalid"),
    ("limit=many", "limit", "invalid"),
    ("limit=" + "9" * 5000, "limit", "invalid"),
    ("offset=-1", "offset", "invalid"),
    ("category=", "category", "invalid"),
    ("search=%00", "search", "invalid"),
    ("search=" + "x" * 201, "search", "invalid"),
    ("tags=ok&tags=", "tags[1]", "invalid"),
    ("catgory=legal", "catgory", "unknown_field"),
])
def test_a_query_that_makes_no_sense_is_refused(client: CheckedClient, admin: Headers, query: str, path: str,
                                                code: str) -> None:
    answer = client.get(f"{URL}?{query}", headers=admin)
    assert answer.status_code == 422
    assert {path: code} == {path: faults[0]["code"] for path, faults in answer.json["errors"].items()}


def test_unknown_parameter_is_told_what_there_is(client: CheckedClient, admin: Headers) -> None:
    answer = client.get(f"{URL}?catgory=legal", headers=admin)
    assert answer.json["errors"]["catgory"][0]["allowed"] == [
        "category", "cursor", "limit", "offset", "search", "status", "tags"]


@pytest.mark.parametrize("template_id", ["a b", "a.b", "x" * 129, "%00", "..", "a%0A"])
def test_what_is_no_id_is_no_address(client: CheckedClient, admin: Headers, template_id: str) -> None:
    assert client.get(f"{URL}/{template_id}", headers=admin).status_code == 404


def test_a_store_that_is_down_is_503_with_a_hint_when_to_retry(client: CheckedClient, admin: Headers,
                                                               service: FakeApplication) -> None:
    service.templates.raises = Unavailable("mongodb")
    answer = client.post(URL, json=TEMPLATE, headers=admin)
    assert (answer.status_code, answer.json["error"], answer.headers["Retry-After"]) == (503, "unavailable", "5")
