"""The body and key of ``POST /agents/{agentId}/executions`` as a checked value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jsonschema import Draft202012Validator

from sandbox.agent_service.agents import TOOL_TYPES, schema_fault
from sandbox.agent_service.errors import InvalidRequest

_KEY = re.compile(r"[\x21-\x7e]{1,600}")
_ID = {"type": "string", "minLength": 1, "maxLength": 600}
_BODY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "workspaceId": _ID, "executionId": _ID, "blockId": _ID,
        "toolType": {"enum": list(TOOL_TYPES)},
        "input": {"type": "object"},
        "timeoutMs": {"type": "integer", "minimum": 1},
    },
    "required": ["workspaceId", "executionId", "blockId", "toolType", "input", "timeoutMs"],
    "additionalProperties": False,
}
_BODY = Draft202012Validator(_BODY_SCHEMA)


@dataclass(frozen=True, kw_only=True)
class ExecutionRequest:
    """One request to an agent to do a block."""

    key: str
    """The idempotency key, which is also the id of the agent's execution."""
    workspace_id: str
    execution_id: str
    block_id: str
    tool_type: str
    input: Mapping[str, Any]
    timeout: timedelta

    def fingerprint(self) -> str:
        """Return a hash of what the work is; the time-out is not part of it, as a late retry has less time left."""
        parts = [self.workspace_id, self.execution_id, self.block_id, self.tool_type, self.input]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse_execution_request(key: str | None, body: Any) -> ExecutionRequest:
    """Check key and body.

    Args:
        key: the header ``Idempotency-Key``; None if it is missing.
        body: the JSON value of the request.

    Raises:
        InvalidRequest: one of them is not what the contract describes.
    """
    if key is None or not _KEY.fullmatch(key):
        raise InvalidRequest("The header 'Idempotency-Key' must be 1 to 600 visible ASCII characters.")
    if not _BODY.is_valid(body):
        raise InvalidRequest(schema_fault(_BODY_SCHEMA, "body", body) or "The body is not valid.")
    return ExecutionRequest(
        key=key, workspace_id=body["workspaceId"], execution_id=body["executionId"], block_id=body["blockId"],
        tool_type=body["toolType"], input=body["input"], timeout=timedelta(milliseconds=body["timeoutMs"]))
