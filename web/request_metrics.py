"""Counts and times requests. What a caller makes up (addresses, methods) is no label: it would never end."""

from __future__ import annotations

from time import monotonic

from flask import Flask, Response, g, request

from web.context import service
from workflow_service.metrics.catalogue import REQUEST_DURATION, REQUESTS

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_NOWHERE = "none"
"""The endpoint of a request that no address of ours fits."""


def register_request_metrics(app: Flask) -> None:
    """Count each request of the application."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.measured_since = monotonic()


def _end(response: Response) -> Response:
    metrics = service().metrics
    endpoint, method = request.endpoint or _NOWHERE, request.method if request.method in _METHODS else "other"
    metrics.count(REQUESTS, endpoint, method, str(response.status_code))
    metrics.observe(REQUEST_DURATION, monotonic() - g.get("measured_since", monotonic()), endpoint, method)
    return response
