"""The tool type ``mcp`` with real servers over standard input and output and over HTTP."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.agent_service.errors import AgentServiceError, Cancelled, TimedOut
from sandbox.agent_service.tools.mcp import McpTool
from sandbox.servers.ports import free_port
from sandbox.servers.process import ServerCommand, ServerProcess
from tests.unit.sandbox.agent_service.conftest import MakeCall

SERVER = '''
import pathlib, sys, time
from mcp.server.mcpserver import MCPServer
server = MCPServer("trial")

@server.tool()
def add(a: int, b: int) -> dict[str, int]:
    return {"sum": a + b}

@server.tool(structured_output=False)
def greet(name: str = "you") -> str:
    return f"Hello {name}"

@server.tool()
def refuse() -> str:
    raise ValueError("no such branch")

@server.tool()
def linger(file: str) -> str:
    pathlib.Path(file).write_text("here")
    time.sleep(60)
    return ""

if len(sys.argv) > 1:
    server.run("streamable-http", port=int(sys.argv[1]))
else:
    server.run()
'''


@pytest.fixture
def server_file(tmp_path: Path) -> Path:
    """Give a file that serves MCP."""
    file = tmp_path / "server.py"
    file.write_text(SERVER)
    return file


@pytest.fixture
def http_server(server_file: Path, tmp_path: Path) -> Iterator[str]:
    """Serve MCP over HTTP and give the address."""
    port = free_port()
    with ServerProcess(ServerCommand(
            name="mcp", argv=[sys.executable, str(server_file), str(port)], log=tmp_path / "mcp.log",
            environment={}, is_ready=lambda: f":{port}" in (tmp_path / "mcp.log").read_text()
            if (tmp_path / "mcp.log").exists() else False)):
        yield f"http://127.0.0.1:{port}/mcp"


def test_a_started_server_is_called(make_call: MakeCall, server_file: Path) -> None:
    settings = _settings(server_file, "add", arguments={"a": "{first}", "b": 2})
    assert McpTool().run(make_call("mcp", settings, first=40)).output["structured"] == {"sum": 42}


def test_a_server_behind_a_url_is_called(make_call: MakeCall, http_server: str) -> None:
    settings = {"url": http_server, "tool": "greet", "arguments": {"name": "{name?}"}}
    assert McpTool().run(make_call("mcp", settings)).output == {"text": "Hello you"}


def test_the_input_is_the_arguments_unless_the_registry_says_otherwise(
        make_call: MakeCall, server_file: Path) -> None:
    assert McpTool().run(make_call("mcp", _settings(server_file, "greet"), name="Ä")).output == {"text": "Hello Ä"}


def test_an_error_of_the_tool(make_call: MakeCall, server_file: Path) -> None:
    code, failure_class, message = _failure(make_call("mcp", _settings(server_file, "refuse")))
    assert (code, failure_class) == ("mcp_tool_failed", "agent")
    assert message


def test_an_error_that_the_registry_accepts(make_call: MakeCall, server_file: Path) -> None:
    settings = _settings(server_file, "refuse", acceptedErrors=[
        {"contains": "other", "output": {"text": "no"}}, {"contains": "refuse", "output": {"text": "none"}}])
    assert McpTool().run(make_call("mcp", settings)).output == {"text": "none"}


@pytest.mark.parametrize(("settings", "code", "failure_class"), [
    ({"command": ["/no/such/program"], "tool": "x"}, "mcp_server_not_started", "configuration"),
    ({"command": ["{python}", "-c", "pass"], "tool": "x"}, "mcp_session_failed", "transient"),
    ({"url": "http://127.0.0.1:9/mcp", "tool": "x"}, "mcp_session_failed", "transient"),
])
def test_a_server_that_is_not_there(
        make_call: MakeCall, settings: dict[str, Any], code: str, failure_class: str) -> None:
    assert _failure(make_call("mcp", settings))[:2] == (code, failure_class)


def test_an_unknown_tool_of_a_strict_server(make_call: MakeCall) -> None:
    settings = {"command": ["{python}", "-m", "mcp_server_git"], "tool": "git_nothing"}
    assert _failure(make_call("mcp", settings))[:2] == ("mcp_call_refused", "configuration")


def test_a_slow_tool_is_left_at_the_deadline(make_call: MakeCall, server_file: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        McpTool().run(make_call("mcp", _settings(server_file, "linger"), seconds=2.0, file=str(tmp_path / "here")))
    assert time.monotonic() - began < 20


def test_a_cancelled_session_ends(make_call: MakeCall, server_file: Path, tmp_path: Path) -> None:
    call = make_call("mcp", _settings(server_file, "linger"), seconds=50.0, file=str(tmp_path / "here"))
    outcome: list[str] = []

    def run() -> None:
        try:
            McpTool().run(call)
        except Cancelled as error:
            outcome.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 15
    while not (tmp_path / "here").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    call.cancellation.request()
    thread.join(15)
    assert outcome == ["cancelled"]


def _settings(server_file: Path, tool: str, **more: Any) -> dict[str, Any]:
    return {"command": ["{python}", str(server_file)], "tool": tool, **more}


def _failure(call: Any) -> tuple[str, str, str]:
    with pytest.raises(AgentServiceError) as raised:
        McpTool().run(call)
    return raised.value.code, raised.value.failure_class, raised.value.message
