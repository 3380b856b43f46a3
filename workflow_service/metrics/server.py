"""A small HTTP server beside a process that has none: it gives the metrics of that process to whoever can reach it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from workflow_service.metrics.registry import CONTENT_TYPE

PATH = "/metrics"
_PATIENCE_S = 5.0

log = logging.getLogger(__name__)


def show_metrics(host: str, port: int | None, text: Callable[[], bytes]) -> None:
    """Give the metrics on a port, if one is set; that somebody else has it must not keep the process from its work."""
    if port is None:
        return
    try:
        MetricsServer(host, port, text).start()
    except OSError as error:
        log.error("metrics are not shown: %s", error, extra={"port": port})


class MetricsServer:
    """Serves one text, on a thread of its own."""

    def __init__(self, host: str, port: int, text: Callable[[], bytes]) -> None:
        """Listen on an address; answers come once it is started. Raises OSError.

        Args:
            host: an address of this machine.
            port: 0 for any that is free.
            text: gives what is served.
        """
        self._server = _Server((host, port), _handler(text))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Answer no more; only after ``start``."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a caller that went away is its own affair."""


def _handler(text: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S

        def do_GET(self) -> None:
            """Answer."""
            found = self.path.partition("?")[0] == PATH
            body = text() if found else b"There is only /metrics here.\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no line for each scrape."""

    return Handler
