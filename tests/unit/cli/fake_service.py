"""A workflow service that answers what it was told to, for tests of the command line."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeService:
    """Answers by method and path; the last answer that was given for a path is repeated."""

    def __init__(self, url: str) -> None:
        """Nothing is known yet."""
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self._answers: dict[str, list[tuple[int, Any]]] = defaultdict(list)

    def answers(self, request: str, body: Any, status: int = 200) -> None:
        """Answer a request such as ``GET /api/v1/templates``, after what was told before."""
        self._answers[request].append((status, body))

    def take(self, request: dict[str, Any]) -> tuple[int, Any]:
        """Keep a request and return the answer."""
        self.requests.append(request)
        known = self._answers[f"{request['method']} {request['path']}"]
        if not known:
            return 404, {"message": "There is nothing at this address.", "error": "not_found"}
        return known.pop(0) if len(known) > 1 else known[0]


def _read(media_type: str | None, body: bytes) -> Any:
    if media_type == "application/yaml":
        return body.decode()
    return json.loads(body) if body else None


@contextmanager
def fake_service() -> Iterator[FakeService]:
    """Run a fake service on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def log_message(self, *_: Any) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            status, answer = service.take({
                "method": self.command, "path": address.path, "query": parse_qs(address.query),
                "token": self.headers.get("Authorization"), "ifMatch": self.headers.get("If-Match"),
                "key": self.headers.get("Idempotency-Key"), "after": self.headers.get("Last-Event-ID"),
                "body": _read(self.headers.get("Content-Type"), body)})
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            if isinstance(answer, str) and answer.startswith("retry:"):
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            if isinstance(answer, str) and address.path.endswith("/export"):
                self.send_header("Content-Disposition", "attachment")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = FakeService(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
