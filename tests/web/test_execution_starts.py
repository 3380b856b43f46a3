"""Starting executions over HTTP with the real service behind it: keys, input schemas, attributes, and finding them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from web.api.schemas.examples import START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application
from workflow_service.domain.attributes import LONGEST, MOST

URL = "/api/v1/executions"
SCHEMA = {"type": "object", "required": ["document"], "additionalProperties": False, "properties": {
    "document": {"type": "string"}, "pages": {"type": "array", "items": {"type": "integer"}}}}


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
def stored(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    """There is a template in two workspaces, and one that says what its input is."""
    client.post("/api/v1/templates", json=TEMPLATE, headers=admin)
    client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "strict", "inputSchema": SCHEMA}, headers=admin)
    client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "theirs"}, headers=signed(workspace="other"))


def start(client: CheckedClient, headers: Headers, key: str | None = None, **changed: Any) -> Any:
    """Start an execution."""
    sent = headers if key is None else {**headers, "Idempotency-Key": key}
    return client.post(URL, json={**START, **changed}, headers=sent)


def total(client: CheckedClient, headers: Headers) -> int:
    """Return how many executions there are."""
    return int(client.get(URL, headers=headers).json["total"])


def test_a_repeated_request_starts_nothing(client: CheckedClient, admin: Headers, signed: SignedHeaders,
                                           real: Application, worker: HandWorker) -> None:
    first = start(client, admin, "order 4711")
    assert (first.status_code, first.headers.get("Idempotency-Replayed")) == (201, None)
    worker.work(real)
    again = start(client, signed("operator", user="olga"), "order 4711")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json == {"executionId": first.json["executionId"], "status": "waiting"}
    assert again.headers["Location"] == first.headers["Location"]
    assert total(client, admin) == 1


def test_a_repeated_request_gets_the_version_that_it_started(client: CheckedClient, admin: Headers) -> None:
    first = start(client, admin, "k")
    client.put("/api/v1/templates/contract-review", json={**TEMPLATE, "version": "2.0.0"}, headers=admin)
    assert start(client, admin, "k").json["executionId"] == first.json["executionId"]


def test_a_key_counts_within_its_workspace(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    here = start(client, admin, "k")
    there = start(client, signed(workspace="other"), "k", templateId="theirs", workspaceId="other")
    assert (here.status_code, there.status_code) == (201, 201)
    assert here.json["executionId"] != there.json["executionId"]


@pytest.mark.parametrize("changed", [
    {"input": {"document": "another"}}, {"input": {"document": 1}}, {"templateVersion": "1.0.0"},
    {"attributes": {"order": 1}}, {"templateId": "strict"}, {"templateId": "unknown"}])
def test_a_key_is_for_one_request(client: CheckedClient, admin: Headers, changed: dict[str, Any]) -> None:
    start(client, admin, "k")
    answer = start(client, admin, "k", **changed)
    assert (answer.status_code, answer.json["error"]) == (422, "idempotency_key_reused")
    assert list(answer.json["errors"]) == ["Idempotency-Key"]
    assert total(client, admin) == 1


def test_a_refused_request_does_not_use_its_key_up(client: CheckedClient, admin: Headers) -> None:
    assert start(client, admin, "k", templateId="strict", input={}).status_code == 422
    assert start(client, admin, "k", templateId="strict").status_code == 201


@pytest.mark.parametrize(("key", "status"), [
    ("k" * 255, 201), ("!~ \"'{}", 201), ("k" * 256, 422), ("", 422), ("a\tb", 422), ("\xe9", 422)])
def test_a_key_has_printable_characters(client: CheckedClient, admin: Headers, key: str, status: int) -> None:
    answer = start(client, admin, key)
    assert answer.status_code == status
    assert status == 201 or list(answer.json["errors"]) == ["Idempotency-Key"]


def test_requests_at_once_start_one_execution(app: Flask, client: CheckedClient, admin: Headers) -> None:
    def send(_: int) -> Any:
        return app.test_client().post(URL, json=START, headers={**admin, "Idempotency-Key": "k"})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 15, 201]
    assert len({answer.json["executionId"] for answer in answers}) == 1
    assert total(client, admin) == 1


def test_without_a_key_each_request_starts_one(client: CheckedClient, admin: Headers) -> None:
    assert [start(client, admin).status_code for _ in range(2)] == [201, 201]
    assert total(client, admin) == 2


@pytest.mark.parametrize(("given", "faults"), [
    ({}, {"input": "required"}),
    ({"document": 7}, {"input.document": "type"}),
    ({"document": "d", "pages": [1, "2"]}, {"input.pages[1]": "type"}),
    ({"document": "d", "more": 1}, {"input": "additionalProperties"}),
])
def test_an_input_that_does_not_fit_is_told_where(client: CheckedClient, admin: Headers, given: dict[str, Any],
                                                  faults: dict[str, str]) -> None:
    answer = start(client, admin, templateId="strict", input=given)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_input")
    assert {path: found[0]["code"] for path, found in answer.json["errors"].items()} == faults
    assert total(client, admin) == 0


def test_an_input_that_fits(client: CheckedClient, admin: Headers) -> None:
    assert start(client, admin, templateId="strict", input={"document": "d", "pages": [1]}).status_code == 201


@pytest.mark.parametrize(("schema", "code"), [
    ({"type": "text"}, "bad_schema"), ({"properties": {"a": {"pattern": "(a+)+"}}}, "bad_pattern"),
    ({"$ref": "https://elsewhere.example/schema"}, "bad_reference"), ([], "type")])
def test_an_input_schema_is_checked_when_it_is_stored(client: CheckedClient, admin: Headers, schema: Any,
                                                      code: str) -> None:
    answer = client.post("/api/v1/templates", json={**TEMPLATE, "templateId": "new", "inputSchema": schema},
                         headers=admin)
    assert answer.status_code == 422
    [(path, faults)] = answer.json["errors"].items()
    assert path.startswith("inputSchema") and faults[0]["code"] == code


@pytest.mark.parametrize("attributes", [
    {}, {"order": 4711, "customer.name": "Müller & Co", "vip": True, "share": 0.25, "empty": ""},
    {f"a{number}": number for number in range(MOST)}, {"long": "x" * LONGEST}])
def test_attributes_are_kept(client: CheckedClient, admin: Headers, attributes: dict[str, Any]) -> None:
    started = start(client, admin, attributes=attributes).json["executionId"]
    assert client.get(f"{URL}/{started}", headers=admin).json["attributes"] == attributes


@pytest.mark.parametrize(("attributes", "path"), [
    ({f"a{number}": number for number in range(MOST + 1)}, "attributes"), ({"a b": 1}, "attributes"),
    ({"": 1}, "attributes"), ({"a" * 65: 1}, "attributes"), ({"a:b": 1}, "attributes"), ({"a": None}, "attributes.a"),
    ({"a": [1]}, "attributes.a"), ({"a": {}}, "attributes.a"), ({"a": "x" * (LONGEST + 1)}, "attributes.a"),
    ({"a": "two\nlines"}, "attributes.a"), ([], "attributes"), (None, "attributes")])
def test_attributes_that_break_the_rules(client: CheckedClient, admin: Headers, attributes: Any, path: str) -> None:
    answer = start(client, admin, attributes=attributes)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [path])


def test_executions_are_found_by_what_they_are(client: CheckedClient, admin: Headers, signed: SignedHeaders) -> None:
    ours = start(client, admin, attributes={"order": 4711, "vip": True}).json["executionId"]
    hers = start(client, signed("operator", user="olga"), attributes={"order": "4711"}).json["executionId"]

    def found(query: str) -> list[str]:
        return [one["executionId"] for one in client.get(f"{URL}?{query}", headers=admin).json["executions"]]

    assert found("attribute=order:4711") == [hers, ours]
    assert found("attribute=order:4711&attribute=vip:true") == [ours]
    assert found("createdBy=olga") == [hers]
    assert found("tag=legal&status=running&status=waiting") == [hers, ours]
    assert found("tag=none") == found("status=completed") == found("errorCode=timeout") == []


def test_a_list_is_read_page_by_page(client: CheckedClient, admin: Headers) -> None:
    for _ in range(5):
        start(client, admin)
    whole = client.get(URL, headers=admin)
    assert whole.json["nextCursor"] is None and "Link" not in whole.headers
    address: str | None = f"{URL}?limit=2&tag=legal"
    read: list[Any] = []
    while address:
        page = client.get(address, headers=admin)
        read += page.json["executions"]
        link = page.headers.get("Link", "")
        address = link[1:].partition(">")[0] or None
        assert page.json["total"] == 5 and (page.json["nextCursor"] is None) == (address is None)
    assert read == whole.json["executions"]
