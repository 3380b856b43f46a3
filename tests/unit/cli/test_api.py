"""Errors of the API as the command line tells them."""

from __future__ import annotations

import pytest

from cli.api import Api
from cli.connection import Connection
from cli.errors import NotTheService, Refused, Unreachable
from sandbox.servers.ports import free_port
from tests.unit.cli.fake_service import FakeService


def _api(url: str) -> Api:
    return Api(Connection(url=url, token="t"))


def test_the_token_is_sent(service: FakeService) -> None:
    service.answers("GET /api/v1/approvals/pending", {"approvals": []})
    with _api(service.url) as api:
        assert api.pending_approvals("e1") == {"approvals": []}
    assert service.requests[0]["token"] == "Bearer t"
    assert service.requests[0]["query"] == {"executionId": ["e1"]}


def test_an_id_with_a_slash_stays_one_part_of_the_path(service: FakeService) -> None:
    with _api(service.url) as api, pytest.raises(Refused):
        api.execution("../a b")
    assert service.requests[0]["path"] == "/api/v1/executions/..%2Fa%20b"


def test_a_refusal_names_each_fault_by_its_path(service: FakeService) -> None:
    service.answers("POST /api/v1/templates", {
        "message": "The template breaks its rules.", "errors": {
            "blocks[0].agentId": [{"code": "unknown", "message": "Nobody.", "allowed": ["echo", "size"]}],
            "name": [{"code": "missing", "message": "It is missing.", "allowed": []}]}}, status=422)
    with _api(service.url) as api, pytest.raises(Refused) as caught:
        api.import_template({})
    assert caught.value.format_message() == ("The template breaks its rules.\n"
                                             "  blocks[0].agentId: Nobody. (allowed: echo, size)\n"
                                             "  name: It is missing.")


def test_a_fault_of_the_service_tells_the_id_to_ask_for(service: FakeService) -> None:
    service.answers("GET /api/v1/executions/e1", {"message": "Something went wrong.", "requestId": "r1"}, status=500)
    with _api(service.url) as api, pytest.raises(Refused, match="Something went wrong") as caught:
        api.execution("e1")
    assert "request id: r1" in caught.value.format_message()


@pytest.mark.parametrize("answer", ["<html>", "[1]", ""])
def test_something_else_than_the_service_is_recognised(service: FakeService, answer: str) -> None:
    service.answers("GET /api/v1/executions/e1", answer)
    with _api(service.url) as api, pytest.raises(NotTheService):
        api.execution("e1")


def test_nobody_there() -> None:
    with _api(f"http://127.0.0.1:{free_port()}") as api, pytest.raises(Unreachable, match="does not answer"):
        api.execution("e1")


def test_an_address_that_is_none() -> None:
    with _api("http://127.0.0.1:port") as api, pytest.raises(Unreachable):
        api.execution("e1")


def test_a_proxy_is_not_asked_for_this_machine(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    service.answers("GET /api/v1/executions/e1", {"executionId": "e1"})
    with _api(service.url) as api:
        assert api.execution("e1") == {"executionId": "e1"}
