"""The structure of directives as JSON Schema: what the OpenAPI document shows, and the parts that validation uses."""

from __future__ import annotations

from typing import Any

from workflow_service.domain.agents import FailureClass
from workflow_service.domain.ids import ID_PATTERN

_NAMES = 1000
"""Of blocks and agents in one directive."""
_SUCCESSIVE = 1000
"""Answers for successive calls."""
_DAYS_366_MS = 366 * 24 * 3600 * 1000
FAULT_PATTERN = rf"^({'|'.join(FailureClass)})(\*[1-9][0-9]{{0,3}})?$"
DECISIONS = ("approve", "reject")


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**schema, "required": list(required)} if required else schema


def _by_name(of: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of, "maxProperties": _NAMES, "description": meaning}


def several(of: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of such things."""
    return {"type": "array", "items": of, "minItems": 1, "maxItems": _SUCCESSIVE}


_ANYTHING = {"type": "object", "additionalProperties": True}
_MS = {"type": "integer", "minimum": 0, "maximum": _DAYS_366_MS}
MOCK = _object({
    "output": {**_ANYTHING, "description": "Made of the agent's output schema, or of the input, if not said."},
    "durationMs": {**_MS, "description": "The `metadata.estimatedDuration` of the block, or 1000, if not said."}})
WORD = {"type": "string", "enum": list(DECISIONS)}
DECISION = _object({
    "decision": WORD, "response": _ANYTHING, "comments": {"type": "string", "maxLength": 4000},
    "afterMs": {**_MS, "description": "Since the question was asked; at once if not said."}}, "decision")

_MOCKS = ("By block id, agent id, or `agent:ID`: the answer to each call, or those to one call after the other, of "
          "which the last one stays.")
_DECIDE = ("By block id: what the person who is asked answers, or the answers to one question after the other. A "
           "question that is not named here gets no answer.")
_FAIL = ("By block id, agent id, or `agent:ID`: the class of the failure, and `*n` if only the first n calls fail, "
         "such as `transient*2`.")
_SIGNAL = _object({
    "name": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": ID_PATTERN},
    "afterMs": {**_MS, "description": "Since the start; at once if not said."}, "payload": _ANYTHING}, "name")

DIRECTIVES_SCHEMA: dict[str, Any] = _object({
    "input": {**_ANYTHING, "description": "What expressions know as `input`."},
    "context": {**_ANYTHING, "description": "What expressions know as `context`."},
    "mocks": _by_name({"anyOf": [MOCK, several(MOCK)]}, _MOCKS),
    "decide": _by_name({"anyOf": [WORD, DECISION, several(DECISION)]}, _DECIDE),
    "fail": _by_name({"type": "string", "pattern": FAULT_PATTERN}, _FAIL),
    "signals": {"type": "array", "maxItems": _NAMES, "items": _SIGNAL,
                "description": "What is sent to the execution."},
    "startAt": {"type": "string", "format": "date-time", "maxLength": 64,
                "description": "The instant at which it begins, RFC 3339; always the same one if not said."}})
