"""The template that is measured, and what the service itself stores of it and of executions: models for copies."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.client import Client
from workflow_service.repositories.mongo import blocks, executions, templates
from workflow_service.repositories.mongo.connection import Raw, Store

TEMPLATE_ID = "contract-review"
_WITHIN = timedelta(seconds=60)
_POLL_S = 0.1
_FAILURE = {"code": "unreadable", "class": "configuration", "message": "The contract can't be read.", "status": 422}


@dataclass(frozen=True, kw_only=True)
class Models:
    """Documents that the service has written."""

    template: Raw
    version: Raw
    """The same template where all versions are kept."""
    completed: Raw
    failed: Raw
    blocks: Mapping[str, Sequence[Raw]]
    """Those of each execution, by its id."""


def template_document() -> dict[str, Any]:
    """Return a template of three blocks in a line; the second one fails if the input says so."""
    return {
        "templateId": TEMPLATE_ID, "name": "Review of a contract", "version": "1.0.0",
        "description": "Reads a contract, rates its risk, and writes a summary for the person who signs it.",
        "tags": ["tag-00", "tag-10"], "metadata": {"category": "category-0", "author": "legal", "complexity": "simple"},
        "inputSchema": {"type": "object", "required": ["contract"], "properties": {
            "contract": {"type": "string", "minLength": 1}, "failures": {"type": "integer", "minimum": 0}}},
        "blocks": [
            _block("read", (), text="Contract ${input.contract}, with all its annexes, as plain text."),
            _block("rate", ("read",), text="${blocks.read.output.text}", risk=4, failTimes="${input.failures}",
                   failWith=_FAILURE),
            _block("summarise", ("rate",), text="Risk ${blocks.rate.output.risk}: ${blocks.rate.output.text}"),
        ]}


def start_body(failures: int = 0) -> dict[str, Any]:
    """Return a request to start the template."""
    return {"templateId": TEMPLATE_ID, "workspaceId": "default",
            "input": {"contract": "2026-0815", "failures": failures}}


def make_models(client: Client, store: Store) -> Models:
    """Let the service store the template, run it well and run it badly, and read what it has written.

    Raises:
        RuntimeError: it refused, or was not done in time.
    """
    _accepted(client, "/templates", template_document())
    well, badly = (_accepted(client, "/executions", start_body(failures))["executionId"] for failures in (0, 1000))
    completed, failed = _ended(store, well, "completed"), _ended(store, badly, "failed")
    template, version = (store.collection(name).find_one({"templateId": TEMPLATE_ID})
                         for name in (templates.COLLECTION, templates.VERSIONS))
    if template is None or version is None:
        raise RuntimeError("The template is not where it should be.")
    return Models(template=template, version=version, completed=completed, failed=failed, blocks={
        one: list(store.collection(blocks.COLLECTION).find({"executionId": one})) for one in (well, badly)})


def _block(block_id: str, after: Sequence[str], **configuration: Any) -> dict[str, Any]:
    return {"blockId": block_id, "name": block_id.title(), "agentId": "echo", "toolType": "script",
            "dependencies": list(after), "configuration": configuration}


def _accepted(client: Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(path, body)
    if not answer.ok:
        raise RuntimeError(f"{path} was answered {answer.status_code}: {answer.text[:500]}")
    content: dict[str, Any] = answer.json()
    return content


def _ended(store: Store, execution_id: str, status: str) -> Raw:
    """Return the document of an execution once it is at rest: ended, told of, and looked at by nobody any more."""
    deadline = time.monotonic() + _WITHIN.total_seconds()
    while time.monotonic() < deadline:
        found = store.collection(executions.COLLECTION).find_one({"_id": execution_id})
        if found is not None and found["status"] == status and not found.get("outbox") and "dueAt" not in found:
            return found
        time.sleep(_POLL_S)
    raise RuntimeError(f"The execution {execution_id} was not {status} within {_WITHIN}.")
