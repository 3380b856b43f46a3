"""Reads the registry file: a YAML list of agents, each with the configuration of its tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from sandbox.agent_service.agents import TOOL_TYPES, Agent, schema_fault
from sandbox.agent_service.errors import AgentNotFound, RegistryError

_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"}
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT, "uniqueItems": True}
_MILLISECONDS = {"type": "integer", "minimum": 1, "maximum": 24 * 3600 * 1000}
_COUNT = {"type": "integer", "minimum": 1}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_TOOL_SCHEMAS: dict[str, dict[str, Any]] = {
    "api": _object({
        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
        "url": _TEXT,
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "query": {"type": "object"},
        "body": {},
        "followRedirects": {"type": "boolean"},
        "outputField": _TEXT,
    }, "method", "url"),
    "script": _object({
        "file": _TEXT,
        "limits": _object({"memoryMb": _COUNT, "cpuSeconds": _COUNT, "fileMb": _COUNT}),
    }, "file"),
    "use_case": _object({
        "system": _TEXT, "prompt": _TEXT, "fallback": _TEXT, "document": _TEXT, "outputField": _TEXT,
        "model": _TEXT, "maxTokens": _COUNT, "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    }, "prompt", "fallback"),
    "mcp": {
        **_object({
            "command": {"type": "array", "items": _TEXT, "minItems": 1},
            "environment": {"type": "object", "additionalProperties": {"type": "string"}},
            "url": _TEXT,
            "tool": _TEXT,
            "arguments": {"type": "object"},
            "acceptedErrors": {"type": "array", "items": _object({
                "contains": _TEXT, "output": {"type": "object"}}, "contains", "output")},
        }, "tool"),
        "oneOf": [{"required": ["command"]}, {"required": ["url"]}],
    },
}
_AGENT_SCHEMA = _object({
    "agentId": _ID, "name": _TEXT, "description": {"type": "string"}, "type": _TEXT, "version": _TEXT,
    "toolTypes": {"type": "array", "items": {"enum": list(TOOL_TYPES)}, "minItems": 1, "uniqueItems": True},
    "capabilities": _TEXTS,
    "status": {"enum": ["available", "unavailable"]},
    "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"},
    "async": {"type": "boolean"}, "timeoutMs": _MILLISECONDS, "retryAfterMs": _MILLISECONDS,
    "tool": _object(_TOOL_SCHEMAS),
}, "agentId", "name", "type", "version", "toolTypes", "capabilities")


class Registry:
    """The agents by id, in the order of the file."""

    def __init__(self, agents: Mapping[str, Agent]) -> None:
        self._agents = dict(agents)

    def agent(self, agent_id: str) -> Agent:
        """Return one agent.

        Raises:
            AgentNotFound: no agent has this id.
        """
        try:
            return self._agents[agent_id]
        except KeyError as error:
            raise AgentNotFound(f"There is no agent '{agent_id}'.") from error

    def find(self, *, capability: str | None = None, tool_type: str | None = None,
             status: str | None = None) -> list[Agent]:
        """Return the agents that pass the filter; None lets all pass."""
        return [agent for agent in self._agents.values()
                if agent.matches(capability=capability, tool_type=tool_type, status=status)]


def load_registry(path: Path) -> Registry:
    """Read and check a registry file.

    Raises:
        RegistryError: it cannot be read, or an agent in it is wrong.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegistryError(f"The registry '{path}' cannot be read: {error}") from error
    if not isinstance(entries, dict) or not isinstance(entries.get("agents"), list):
        raise RegistryError(f"The registry '{path}' must be a mapping with a list 'agents'.")
    agents: dict[str, Agent] = {}
    for position, entry in enumerate(entries["agents"]):
        agent = _agent(entry, position, path.parent)
        if agent.agent_id in agents:
            raise RegistryError(f"Agent '{agent.agent_id}': 'agentId' is used twice.")
        agents[agent.agent_id] = agent
    return Registry(agents)


def _agent(entry: Any, position: int, directory: Path) -> Agent:
    label = f"Agent '{entry['agentId']}'" if isinstance(entry, dict) and "agentId" in entry else f"Agent {position + 1}"
    fault = schema_fault(_AGENT_SCHEMA, "agent", entry) or _further_fault(entry, directory)
    if fault is not None:
        raise RegistryError(f"{label}: {fault.removeprefix('agent').removeprefix('.').removeprefix(': ')}")
    return Agent(
        agent_id=entry["agentId"], name=entry["name"], description=entry.get("description", ""),
        type=entry["type"], tool_types=tuple(entry["toolTypes"]), capabilities=tuple(entry["capabilities"]),
        available=entry.get("status", "available") == "available", version=entry["version"],
        input_schema=entry.get("inputSchema", {"type": "object"}),
        output_schema=entry.get("outputSchema", {"type": "object"}),
        tools=entry.get("tool", {}), directory=directory, runs_async=entry.get("async", False),
        time_limit=timedelta(milliseconds=entry.get("timeoutMs", 60_000)),
        poll_interval=timedelta(milliseconds=entry.get("retryAfterMs", 500)))


def _further_fault(entry: dict[str, Any], directory: Path) -> str | None:
    """Return what the schema of an entry cannot say, or None."""
    for name in ("inputSchema", "outputSchema"):
        try:
            Draft202012Validator.check_schema(entry.get(name, {}))
        except SchemaError as error:
            return f"agent.{name}: {error.message}"
    tools = entry.get("tool", {})
    missing = [tool_type for tool_type in entry["toolTypes"] if tool_type not in tools]
    if missing and entry["type"] != "echo":
        return f"agent.tool.{missing[0]}: missing, but 'toolTypes' offers it"
    file = tools.get("script", {}).get("file")
    if file is not None and not (directory / file).is_file():
        return f"agent.tool.script.file: there is no file '{file}' beside the registry"
    return None
