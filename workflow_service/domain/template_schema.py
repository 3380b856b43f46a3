"""The structure of a template document as JSON Schema: section 4.1 of the customer's document and our additions.

It is the one description of the structure: validation uses it, and the OpenAPI document shows it (so it keeps to the
keywords that OpenAPI 3.0 knows). What a schema can't say (graphs, expressions, agents) is in ``validation``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from workflow_service.domain.flow import (
    MAX_EARLY_JOIN_EDGES,
    MAX_ITERATIONS,
    MAX_MAP_WIDTH,
    EndStatus,
    FailureAction,
    JoinMode,
    Late,
    OnTimeout,
    SignalMode,
)
from workflow_service.domain.ids import ID_PATTERN
from workflow_service.domain.template_status import WRITABLE

ROLES = ("viewer", "operator", "designer", "approver", "admin")
"""The roles that a user may have."""
TOOL_TYPES = ("api", "script", "use_case", "mcp")
"""The ways in which an agent may do its work."""
BACKOFF_STRATEGIES = ("fixed", "linear", "exponential", "jittered")
"""How the delay between attempts grows."""

MAX_BLOCKS = 5000
"""Of one template."""
_DAYS_366_MS = 366 * 24 * 3600 * 1000


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**schema, "required": list(required)} if required else schema


def _text(limit: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": limit, **more}


def _list(items: dict[str, Any], limit: int, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": limit, **more}


_ID = _text(128, pattern=ID_PATTERN, minLength=1)
_MILLISECONDS = {"type": "integer", "minimum": 1, "maximum": _DAYS_366_MS, "description": "Milliseconds."}
_ESTIMATE = {"type": "number", "minimum": 0, "maximum": _DAYS_366_MS, "description": "Milliseconds."}
_EXPRESSION = _text(4000, minLength=1, description="A CEL expression.")
_ANYTHING = {"type": "object", "additionalProperties": True}

_RETRY_POLICY = _object({
    "maxRetries": {"type": "integer", "minimum": 0, "maximum": 100},
    "backoffStrategy": {"type": "string", "enum": list(BACKOFF_STRATEGIES)},
    "retryConditions": _list(_text(128), 50),
    "initialDelay": _MILLISECONDS,
    "maxDelay": _MILLISECONDS,
})
_HUMAN_IN_LOOP = _object({
    "required": {"type": "boolean"},
    "type": {"type": "string", "enum": ["approval", "edit", "input"]},
    "approvalLevel": {"type": "string", "enum": list(ROLES)},
    "inputSchema": _ANYTHING,
    "timeout": _MILLISECONDS,
    "escalateTo": {"type": "string", "enum": list(ROLES)},
})
_PRIORITY = {"type": "integer", "minimum": 0, "maximum": 9, "description": "What is higher goes first."}
_VARIABLE = _text(64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")


def _enum(values: type[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [value.value for value in values]}


def _map(*, inner: dict[str, Any] | None) -> dict[str, Any]:
    return _object({
        "items": _EXPRESSION,
        "as": _VARIABLE,
        "maxParallel": {"type": "integer", "minimum": 1, "maximum": MAX_MAP_WIDTH},
        "tolerateFailures": {"anyOf": [{"type": "integer", "minimum": 0},
                                       {"type": "string", "pattern": r"^(100|[0-9]{1,2})%$"}]},
        **({} if inner is None else {"map": inner}),
    }, "items")


_FLOW = {
    "map": _map(inner=_map(inner=None)),
    "loop": _object({"until": _EXPRESSION,
                     "maxIterations": {"type": "integer", "minimum": 1, "maximum": MAX_ITERATIONS}}, "until"),
    "workflow": _object({"templateId": _ID, "version": _text(64, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")}, "templateId"),
    "wait": _object({"duration": _MILLISECONDS, "until": _text(4000, minLength=1)}),
    "waitFor": _object({
        "signals": _list(_ID, 20, minItems=1),
        "mode": _enum(SignalMode),
        "timeout": _MILLISECONDS,
        "onTimeout": _enum(OnTimeout),
    }, "signals"),
    "end": _object({"status": _enum(EndStatus), "message": _text(1000)}),
    "joinPolicy": _object({
        "mode": _enum(JoinMode),
        "count": {"type": "integer", "minimum": 1, "maximum": MAX_EARLY_JOIN_EDGES},
        "late": _enum(Late),
    }),
    "onFailure": _object({"action": _enum(FailureAction), "nextBlocks": _list(_ID, MAX_BLOCKS)}),
    "mutex": _object({"name": _text(200, minLength=1),
                      "permits": {"type": "integer", "minimum": 1, "maximum": 1000}}, "name"),
    "queue": _ID,
    "priority": _PRIORITY,
}
_BRANCH = _object({
    "condition": _EXPRESSION,
    "nextBlocks": _list(_ID, MAX_BLOCKS, minItems=1),
    "default": {"type": "boolean"},
}, "nextBlocks")
_BLOCK = _object({
    "blockId": _ID,
    "name": _text(200),
    "description": _text(10_000),
    "agentId": _ID,
    "agentType": _text(128),
    "toolType": {"type": "string", "enum": list(TOOL_TYPES)},
    "configuration": _ANYTHING,
    "dependencies": _list(_ID, MAX_BLOCKS),
    "conditions": _object({
        "type": {"type": "string", "enum": ["guard", "exclusive", "inclusive"]},
        "expression": _EXPRESSION,
        "branches": _list(_BRANCH, 1000),
    }, "type"),
    "humanInLoop": _HUMAN_IN_LOOP,
    "retryPolicy": _RETRY_POLICY,
    "timeout": _MILLISECONDS,
    "sideEffects": {"type": "string", "enum": ["none", "idempotent", "unsafe"]},
    **_FLOW,
    "metadata": {
        "type": "object",
        "properties": {"estimatedDuration": _ESTIMATE},
        "additionalProperties": True,
    },
}, "blockId")

TEMPLATE_SCHEMA: dict[str, Any] = _object({
    "templateId": _ID,
    "name": _text(200, minLength=1),
    "description": _text(10_000),
    "version": _text(64, minLength=1, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$"),
    "status": {"type": "string", "enum": [status.value for status in WRITABLE],
               "description": "Of this version; published if not said. It is no part of the content."},
    "tags": _list(_text(64, minLength=1), 100),
    "inputSchema": _ANYTHING,
    "output": _ANYTHING,
    "metadata": {
        "type": "object",
        "properties": {
            "estimatedDuration": _ESTIMATE,
            "complexity": _text(64),
            "category": _text(64),
        },
        "additionalProperties": True,
    },
    "blocks": _list(_BLOCK, MAX_BLOCKS, minItems=1),
    "globalSettings": _object({
        "timeout": _MILLISECONDS,
        "maxParallelBlocks": {"type": "integer", "minimum": 1, "maximum": 1000},
        "defaultRetryPolicy": _RETRY_POLICY,
        "humanInLoopDefaults": _HUMAN_IN_LOOP,
        "queue": _ID,
        "priority": _PRIORITY,
    }),
}, "templateId", "name", "version", "blocks")
"""What an author writes. ``createdAt``, ``updatedAt`` and ``createdBy`` are the service's and are added by it."""
