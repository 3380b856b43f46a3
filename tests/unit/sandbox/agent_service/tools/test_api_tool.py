"""The tool type ``api`` against a real web server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sandbox.agent_service.errors import AgentServiceError, Cancelled, TimedOut
from sandbox.agent_service.tools.api import ApiTool
from sandbox.servers.ports import free_port
from tests.unit.sandbox.agent_service.conftest import MakeCall, WebServer


def test_the_call_is_made_of_template_and_input(make_call: MakeCall, web_server: WebServer) -> None:
    web_server.answers = {"/orders/a%2Fb": (200, {}, b'{"ok": true}')}
    settings = {"method": "POST", "url": web_server.url + "/orders/{id}", "headers": {"X-Block": "{call.blockId}"},
                "query": {"page": "{page}", "size": "{size?}"},
                "body": {"total": "{total}", "by": "{call.executionId}"}}
    result = ApiTool().run(make_call("api", settings, id="a/b", page="1&2", total=7))
    [(method, path, headers, body)] = web_server.requests
    assert result.output == {"ok": True}
    assert (method, path, headers["X-Block"]) == ("POST", "/orders/a%2Fb?page=1%262", "b")
    assert json.loads(body) == {"total": 7, "by": "e"}


@pytest.mark.parametrize(("body", "field", "output"), [
    (b"[1]", None, {"body": [1]}), (b"", None, {}), (b'{"a": 1}', "policy", {"policy": {"a": 1}})])
def test_every_json_answer_becomes_an_object(
        make_call: MakeCall, web_server: WebServer, body: bytes, field: str | None, output: dict[str, Any]) -> None:
    web_server.answers = {"/": (200, {}, body)}
    settings = {"method": "GET", "url": web_server.url + "/"} | ({"outputField": field} if field else {})
    assert ApiTool().run(make_call("api", settings)).output == output


@pytest.mark.parametrize(("status", "failure_class", "code"), [
    (500, "transient", "http_error"), (503, "transient", "http_error"), (429, "transient", "http_error"),
    (408, "transient", "http_error"), (400, "configuration", "http_error"), (404, "configuration", "http_error"),
    (302, "configuration", "http_error")])
def test_a_refusal_is_classified(
        make_call: MakeCall, web_server: WebServer, status: int, failure_class: str, code: str) -> None:
    web_server.answers = {"/x": (status, {"Retry-After": "2", "Location": "/elsewhere"}, b"secret detail")}
    error = _failure(make_call("api", {"method": "GET", "url": web_server.url + "/x?token=secret"}))
    assert (error.code, error.failure_class) == (code, failure_class)
    assert error.retry_after_ms == (2000 if failure_class == "transient" else None)
    assert "secret" not in error.message


@pytest.mark.parametrize("answer", [b"<html>", b'{"a": NaN}', b"\xff"])
def test_an_answer_that_is_no_json(make_call: MakeCall, web_server: WebServer, answer: bytes) -> None:
    web_server.answers = {"/": (200, {}, answer)}
    error = _failure(make_call("api", {"method": "GET", "url": web_server.url + "/"}))
    assert (error.code, error.failure_class) == ("invalid_answer", "agent")


def test_an_answer_that_is_too_large(make_call: MakeCall, web_server: WebServer) -> None:
    web_server.answers = {"/": (200, {}, b'"' + b"x" * 6_000_000 + b'"')}
    assert _failure(make_call("api", {"method": "GET", "url": web_server.url + "/"})).code == "invalid_answer"


def test_nobody_listens(make_call: MakeCall) -> None:
    error = _failure(make_call("api", {"method": "GET", "url": f"http://127.0.0.1:{free_port()}/"}))
    assert (error.code, error.failure_class) == ("connection_failed", "transient")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/", "http://", "nonsense", "http://[::1"])
def test_an_input_that_is_no_web_address(make_call: MakeCall, url: str) -> None:
    error = _failure(make_call("api", {"method": "GET", "url": "{url}"}, url=url))
    assert (error.code, error.failure_class) == ("invalid_call", "configuration")


@pytest.mark.parametrize("part", [".", ".."])
def test_an_input_cannot_leave_its_place_in_the_url(make_call: MakeCall, web_server: WebServer, part: str) -> None:
    error = _failure(make_call("api", {"method": "GET", "url": web_server.url + "/a/{part}/b"}, part=part))
    assert (error.code, web_server.requests) == ("invalid_call", [])


def test_an_input_cannot_add_a_header(make_call: MakeCall, web_server: WebServer) -> None:
    settings = {"method": "GET", "url": web_server.url, "headers": {"X-Name": "{name}"}}
    error = _failure(make_call("api", settings, name="a\r\nX-Admin: 1"))
    assert (error.code, web_server.requests) == ("invalid_call", [])


@pytest.mark.parametrize(("follow", "path"), [(False, "/from"), (True, "/to")])
def test_redirects_are_followed_if_the_registry_says_so(
        make_call: MakeCall, web_server: WebServer, follow: bool, path: str) -> None:
    web_server.answers = {"/from": (302, {"Location": "/to"}, b""), "/to": (200, {}, b'{"a": 1}')}
    call = make_call("api", {"method": "GET", "url": web_server.url + "/from", "followRedirects": follow})
    if follow:
        assert ApiTool().run(call).output == {"a": 1}
    else:
        assert _failure(call).failure_class == "configuration"
    assert web_server.requests[-1][1] == path


def test_a_server_that_sends_byte_by_byte_is_left_at_the_deadline(make_call: MakeCall, web_server: WebServer) -> None:
    web_server.answers = {"/": (200, {}, b'"' + b"x" * 600 + b'"')}
    web_server.byte_seconds = 0.02
    began = time.monotonic()
    with pytest.raises(TimedOut):
        ApiTool().run(make_call("api", {"method": "GET", "url": web_server.url + "/"}, seconds=0.3))
    assert time.monotonic() - began < 3


def test_a_cancelled_call_is_not_made(make_call: MakeCall, web_server: WebServer) -> None:
    call = make_call("api", {"method": "GET", "url": web_server.url})
    call.cancellation.request()
    with pytest.raises(Cancelled):
        ApiTool().run(call)
    assert web_server.requests == []


def _failure(call: Any) -> AgentServiceError:
    with pytest.raises(AgentServiceError) as raised:
        ApiTool().run(call)
    return raised.value
