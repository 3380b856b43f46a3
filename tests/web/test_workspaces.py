"""Ids of another workspace are ids of nothing: each endpoint answers 404, as if they had never been given out.

The endpoints are taken from the application itself, and what they are sent from the examples of its OpenAPI document,
so that a new endpoint is tested before anybody thinks of it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.web.checked_client import CheckedClient
from tests.web.conftest import SECRET, Headers, SignedHeaders
from tests.web.real_service import HandWorker, a_real_service
from tests.web.world import World, a_world, operations
from web.api.schemas.examples import START

_NOWHERE = "nothing-has-this-id"


@pytest.fixture
def app(edge: Flask) -> Flask:
    """The edge, whose service is the world's."""
    return edge


@pytest.fixture
def world(app: Flask, client: CheckedClient, admin: Headers) -> World:
    """A workspace with one of everything."""
    worker = HandWorker()
    return a_world(client, admin, a_real_service(SECRET, worker), worker)


def test_each_endpoint_knows_nothing_of_other_workspaces(world: World, client: CheckedClient, signed: SignedHeaders,
                                                         admin: Headers) -> None:
    stranger = signed("admin", "eve", "evil")
    before = _everything(client, world, admin)
    answers = {}
    for asked in operations(client.document(), world.ids):
        if asked.has_ids:
            answer = client.open(asked.address, method=asked.method, json=asked.body, headers=stranger)
            answers[asked.name] = (answer.status_code, (answer.json or {}).get("error"))
    assert {name: found for name, found in answers.items() if found != (404, "not_found")} == {}
    assert _everything(client, world, admin) == before


def test_an_id_of_another_workspace_is_answered_like_one_that_nobody_has(world: World, client: CheckedClient,
                                                                         signed: SignedHeaders) -> None:
    stranger = signed("admin", "eve", "evil")
    nobody = dict.fromkeys(world.ids, _NOWHERE)
    pairs = zip(operations(client.document(), world.ids), operations(client.document(), nobody), strict=True)
    for theirs, nothing in pairs:
        if theirs.has_ids:
            known = client.open(theirs.address, method=theirs.method, json=theirs.body, headers=stranger).json
            unknown = client.open(nothing.address, method=theirs.method, json=theirs.body, headers=stranger).json
            assert _without_ids(known, world.ids.values()) == _without_ids(unknown, [_NOWHERE]), theirs.name


def test_every_address_with_an_id_is_in_the_document_that_this_test_goes_by(app: Flask, client: CheckedClient) -> None:
    rules = {re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()
             if rule.rule.startswith("/api/v1") and rule.arguments}
    named = {re.sub(r"<[^>]+>", "", path) for path in client.document()["paths"]}
    assert rules and rules <= named


def test_an_id_in_a_body_is_looked_for_in_ones_own_workspace(world: World, client: CheckedClient,
                                                             signed: SignedHeaders) -> None:
    stranger = signed("admin", "eve", "evil")
    mine = {name: value for name, value in START.items() if name != "workspaceId"}
    assert client.post("/api/v1/executions", json=mine, headers=stranger).status_code == 404


def test_a_hold_in_ones_own_workspace_holds_nothing_elsewhere(world: World, client: CheckedClient,
                                                              signed: SignedHeaders, admin: Headers) -> None:
    before = _everything(client, world, admin)
    stranger = signed("admin", "eve", "evil")
    theirs = {"scope": "template", "target": world.ids["templateId"]}
    for body, status in ((theirs, 404), ({"scope": "workspace"}, 201)):
        assert client.post("/api/v1/holds", json=body, headers=stranger).status_code == status
    assert _everything(client, world, admin) == before


def test_lists_show_ones_own_workspace_alone(world: World, client: CheckedClient, signed: SignedHeaders) -> None:
    stranger = signed("admin", "eve", "evil")
    for path, item in client.document()["paths"].items():
        if "get" in item and "{" not in path and path.startswith("/api/v1"):
            answer = client.get(path, headers=stranger)
            assert not [value for value in world.ids.values() if f'"{value}"' in answer.text], path


def _everything(client: CheckedClient, world: World, headers: Headers) -> Any:
    """Return what the owner sees, without what a look itself changes."""
    places = ("templates/{templateId}", "templates/{templateId}/versions", "executions/{executionId}",
              "executions/{executionId}/events", "approvals/{approvalId}", "holds")
    return [client.get(f"/api/v1/{place.format(**world.ids)}", headers=headers).json for place in places]


def _without_ids(answer: Any, ids: Any) -> Any:
    shown = {name: value for name, value in answer.items() if name != "requestId"}
    for value in ids:
        shown["message"] = shown["message"].replace(value, "?")
    return shown
