"""A workspace with one of everything, and every operation of the API with an address and a body that fit it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.web.checked_client import CheckedClient
from tests.web.conftest import Headers
from tests.web.real_service import HandWorker
from web.api.schemas.examples import PLACE_HOLD, START, TEMPLATE
from web.context import provide
from workflow_service.bootstrap import Application

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""Those that an operation can have."""
NO_IDS: Mapping[str, str] = {"version": "1.0.0", "name": "payment"}
"""Parts of addresses that tell nothing by themselves."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A workspace with one of everything."""

    ids: Mapping[str, str]
    """By their names in addresses."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that the API can be asked for."""

    name: str
    """Its operation id."""
    method: str
    address: str
    body: Any
    """The example of the OpenAPI document; None if it takes none."""
    has_ids: bool
    """True if its address names something that a workspace owns."""


def a_world(client: CheckedClient, headers: Headers, application: Application, worker: HandWorker) -> World:
    """Put a service behind a client, and in it a template, an execution that waits for an approval, and a hold."""
    provide(client.application, application)
    template = client.post("/api/v1/templates", json=TEMPLATE, headers=headers).json["templateId"]
    execution = client.post("/api/v1/executions", json=START, headers=headers).json["executionId"]
    worker.work(application)
    approval = client.get("/api/v1/approvals/pending", headers=headers).json["approvals"][0]["approvalId"]
    hold = client.post("/api/v1/holds", json=PLACE_HOLD, headers=headers).json["holdId"]
    return World(ids={"templateId": template, "executionId": execution, "blockId": "review", "approvalId": approval,
                      "holdId": hold})


def operations(document: Mapping[str, Any], ids: Mapping[str, str]) -> Iterator[Operation]:
    """Yield each operation of the API that needs a token.

    Args:
        document: the OpenAPI document.
        ids: what to put into addresses, by name.
    """
    for path, item in document["paths"].items():
        names = set(re.findall(r"\{(\w+)\}", path))
        address = path.format(**{name: {**NO_IDS, **ids}[name] for name in names})
        for method in sorted(METHODS & {name.upper() for name in item}):
            described = item[method.lower()]
            if "security" in described:
                yield Operation(name=described["operationId"], method=method, address=address + _query(described),
                                body=_example(described), has_ids=bool(names - set(NO_IDS)))


def _query(described: Mapping[str, Any]) -> str:
    """Return the parameters that can't be left out; those that there are name versions."""
    needed = [one["name"] for one in described.get("parameters", ()) if one["in"] == "query" and one.get("required")]
    return "?" + "&".join(f"{name}={NO_IDS['version']}" for name in needed) if needed else ""


def _example(described: Mapping[str, Any]) -> Any:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return content.get("example")
