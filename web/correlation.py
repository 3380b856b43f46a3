"""The id that ties a request, its answer and all log lines about it together, and the line that sums it up."""

from __future__ import annotations

import re
from time import monotonic
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
"""Where the id is taken from, if a caller in front of us chose one, and given back."""

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_log = structlog.get_logger(__name__)


def register_correlation(app: Flask) -> None:
    """Give each request of the application an id, first of all that is done with it."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """Return the id of the present request."""
    return str(g.get("request_id", "unknown"))


def _begin() -> None:
    offered = request.headers.get(HEADER, "")
    g.request_id = offered if _SANE.match(offered) else uuid4().hex
    g.began_at = monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    _log.info("request_answered", method=request.method, path=request.path, status=response.status_code,
              duration_ms=round((monotonic() - g.began_at) * 1000, 1))
    return response
