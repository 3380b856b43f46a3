"""The key by which a request that is repeated is known to be the same."""

from __future__ import annotations

from typing import Any

from flask import request

from web.api.blueprint import Blueprint, Endpoint

_HEADER = "Idempotency-Key"
_KEY = {"in": "header", "name": _HEADER, "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "Printable ASCII characters of the client's choice. The same key with the same request does it "
                       "once, however often it is sent; with another request it is refused (422)."}
REPLAYED: dict[str, Any] = {
    "Idempotency-Replayed": {"description": "`true` if an earlier request with the same key was the one that did it.",
                             "schema": {"type": "string", "enum": ["true"]}}}
"""The header of an answer to a request that is repeated."""


def takes_idempotency_key(endpoint: Endpoint) -> Endpoint:
    """Say in the OpenAPI document that an endpoint heeds the header Idempotency-Key."""
    return Blueprint.header(_KEY)(endpoint)


def idempotency_key() -> str | None:
    """Return the key of the present request; None if it has none."""
    return request.headers.get(_HEADER)


def replayed(was_replayed: bool) -> dict[str, str]:
    """Return the header that tells whether an answer is that of an earlier request."""
    return {"Idempotency-Replayed": "true"} if was_replayed else {}
