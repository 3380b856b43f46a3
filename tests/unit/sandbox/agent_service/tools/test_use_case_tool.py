"""The tool type ``use_case`` with and without an LLM Service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.agent_service.errors import AgentServiceError, TimedOut
from sandbox.agent_service.tools.use_case import UseCaseTool
from sandbox.servers.ports import free_port
from tests.unit.sandbox.agent_service.conftest import MakeCall, WebServer

PATH = "/v1/chat/completions"
SETTINGS = {"system": "Be short.", "prompt": "Sum up {facts}.", "fallback": "Facts: {facts}.\n",
            "document": "# {title}\n{generated}", "outputField": "notes", "maxTokens": 9, "model": "small"}


def test_without_a_service_the_text_is_the_agents_own(make_call: MakeCall) -> None:
    result = UseCaseTool(None).run(make_call("use_case", SETTINGS, facts="1, 2", title="T"))
    assert result.output == {"notes": "# T\nFacts: 1, 2.", "generatedBy": "template"}


def test_with_a_service_the_text_is_the_models(make_call: MakeCall, web_server: WebServer) -> None:
    web_server.answers = {PATH: (200, {}, json.dumps({
        "model": "small-v2", "choices": [{"message": {"content": " {title} is good. "}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 4}}).encode())}
    result = UseCaseTool(web_server.url).run(make_call("use_case", SETTINGS, facts="1, 2", title="T"))
    assert result.output == {"notes": "# T\n{title} is good.", "generatedBy": "llm:small-v2"}
    assert result.usage == {"promptTokens": 5, "completionTokens": 4}
    question = json.loads(web_server.requests[0][3])
    assert question["messages"] == [{"role": "system", "content": "Be short."},
                                    {"role": "user", "content": "Sum up 1, 2."}]
    assert (question["model"], question["max_tokens"]) == ("small", 9)


def test_the_text_alone_is_the_document_unless_there_is_one(make_call: MakeCall) -> None:
    settings = {"prompt": "p", "fallback": "f"}
    assert UseCaseTool(None).run(make_call("use_case", settings)).output == {"text": "f", "generatedBy": "template"}


@pytest.mark.parametrize(("status", "body", "code", "failure_class"), [
    (500, b"{}", "http_error", "transient"), (429, b"{}", "http_error", "transient"),
    (400, b"{}", "http_error", "configuration"), (200, b"<html>", "invalid_answer", "transient"),
    (200, b"{}", "invalid_answer", "transient"), (200, b"[]", "invalid_answer", "transient"),
    (200, b'{"choices": [{"message": {"content": null}}]}', "invalid_answer", "transient")])
def test_a_service_in_trouble(make_call: MakeCall, web_server: WebServer, status: int, body: bytes, code: str,
                              failure_class: str) -> None:
    web_server.answers = {PATH: (status, {}, body)}
    assert _failure(UseCaseTool(web_server.url), make_call("use_case", SETTINGS, facts="", title="")) == (
        code, failure_class)


def test_a_service_that_is_gone(make_call: MakeCall) -> None:
    tool = UseCaseTool(f"http://127.0.0.1:{free_port()}")
    assert _failure(tool, make_call("use_case", SETTINGS, facts="", title="")) == ("connection_failed", "transient")


def test_a_slow_service_is_left_at_the_deadline(make_call: MakeCall, web_server: WebServer) -> None:
    web_server.answers = {PATH: (200, {}, b"{" + b" " * 600 + b"}")}
    web_server.byte_seconds = 0.02
    with pytest.raises(TimedOut):
        UseCaseTool(web_server.url).run(make_call("use_case", SETTINGS, seconds=0.3, facts="", title=""))


def _failure(tool: UseCaseTool, call: Any) -> tuple[str, str]:
    with pytest.raises(AgentServiceError) as raised:
        tool.run(call)
    return raised.value.code, raised.value.failure_class
