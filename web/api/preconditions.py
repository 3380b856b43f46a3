"""What a request says about the version that it was made from, and what an answer says about its own.

Done here and not by flask-smorest's ETags: those refuse every update without ``If-Match`` (428), and are hashes, where
ours are the versions that people see.
"""

from __future__ import annotations

from typing import Any

from flask import request

from web.api.blueprint import Blueprint, Endpoint
from workflow_service.domain.errors import Invalid, Issue

ETAG = {"ETag": {"description": "The version, in quotes; what If-Match is compared with.",
                 "schema": {"type": "string"}}}
"""The header of an answer that shows one version of something."""
_IF_MATCH = {"in": "header", "name": "If-Match", "schema": {"type": "string"},
             "description": "Refuse the update (412) unless this is the latest version: the ETag of its GET."}


def takes_if_match(endpoint: Endpoint) -> Endpoint:
    """Say in the OpenAPI document that an endpoint heeds the header If-Match."""
    return Blueprint.header(_IF_MATCH)(endpoint)


def etag(version: str) -> dict[str, Any]:
    """Return the header that names the version of an answer."""
    return {"ETag": f'"{version}"'}


def expected_version() -> str | None:
    """Return the version that the present request was made from; None if it does not say, or says that any will do.

    Raises:
        Invalid: it names none that can be compared, or several.
    """
    tags = request.if_match
    if "If-Match" not in request.headers or tags.star_tag:
        return None
    strong = list(tags.as_set())
    if len(strong) != 1:
        raise Invalid("The header If-Match can't be used.", [Issue(
            path="If-Match", code="invalid", message='It has to be one version in quotes, such as "1.0.0", or *.')])
    return strong[0]
