"""How a client that follows something says where it was when the connection ended."""

from __future__ import annotations

from web.api.blueprint import Blueprint, Endpoint

_LAST = {"in": "header", "name": "Last-Event-ID", "schema": {"type": "string"},
         "description": "With `follow=true`: the `id` of the last event that came; those after it follow."}


def takes_last_event_id(endpoint: Endpoint) -> Endpoint:
    """Say in the OpenAPI document that an endpoint heeds the header Last-Event-ID."""
    return Blueprint.header(_LAST)(endpoint)
