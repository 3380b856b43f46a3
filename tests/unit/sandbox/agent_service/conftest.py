"""What the tests of the reference Agent Service share: calls of tools, and a real web server to call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest

from sandbox.agent_service.agents import Agent
from sandbox.agent_service.cancellation import Cancellation
from sandbox.agent_service.execution_request import ExecutionRequest
from sandbox.agent_service.tools.base import ToolCall

PATIENCE_SECONDS = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class MakeCall(Protocol):
    """Builds a call of a tool."""

    def __call__(self, tool_type: str, settings: Mapping[str, Any] | None = None, /, seconds: float = 10.0,
                 **given: Any) -> ToolCall:
        """Take the registry's settings, the time limit and the input."""
        ...


@pytest.fixture
def make_agent(tmp_path: Path) -> Callable[..., Agent]:
    """Build an agent; arguments replace defaults."""
    def build(**changes: Any) -> Agent:
        defaults: dict[str, Any] = {
            "agent_id": "a1", "name": "A", "description": "", "type": "echo", "tool_types": ("script",),
            "capabilities": (), "available": True, "input_schema": {}, "output_schema": {}, "version": "1",
            "directory": tmp_path}
        return Agent(**{**defaults, **changes})
    return build


@pytest.fixture
def make_request() -> Callable[..., ExecutionRequest]:
    """Build a request; arguments replace defaults."""
    def build(**changes: Any) -> ExecutionRequest:
        defaults: dict[str, Any] = {"key": "e:b:0", "workspace_id": "w", "execution_id": "e", "block_id": "b",
                                    "tool_type": "script", "input": {}, "timeout": timedelta(seconds=5)}
        return ExecutionRequest(**{**defaults, **changes})
    return build


@pytest.fixture
def make_call(make_agent: Callable[..., Agent], make_request: Callable[..., ExecutionRequest]) -> MakeCall:
    """Build a call of a tool."""
    def build(tool_type: str, settings: Mapping[str, Any] | None = None, /, seconds: float = 10.0,
              **given: Any) -> ToolCall:
        return ToolCall(
            agent=make_agent(tools={tool_type: settings or {}}),
            request=make_request(tool_type=tool_type, input=given),
            deadline=time.monotonic() + seconds, cancellation=Cancellation(), earlier_failures=lambda: 0)
    return build


@dataclass
class WebServer:
    """A web server whose answers a test decides."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Status, headers and body by path, the latter without query."""
    byte_seconds: float = 0.0
    """How long each byte of a body takes."""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    """Method, path with query, headers and body of each request."""


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """Run a web server."""
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.requests.append((self.command, self.path, dict(self.headers.items()), body))
            status, headers, content = server.answers[self.path.partition("?")[0]]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self._send(content)

        def _send(self, content: bytes) -> None:
            try:
                for byte in content if server.byte_seconds else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(server.byte_seconds)
                if not server.byte_seconds:
                    self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has gone away, as it should

        def log_message(self, format: str, *args: Any) -> None:
            pass

        do_GET = do_POST = do_DELETE = _answer

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
