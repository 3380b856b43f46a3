"""An agent as the registry declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

TOOL_TYPES = ("api", "script", "use_case", "mcp")
"""The ways in which an agent can do its work."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent."""

    agent_id: str
    name: str
    description: str
    type: str
    """The kind of agent; ``echo`` is done by the service itself."""
    tool_types: tuple[str, ...]
    capabilities: tuple[str, ...]
    available: bool
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    version: str
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The configuration of each tool type; not shown to callers."""
    directory: Path
    """Where the registry file is; relative paths in it start here."""
    runs_async: bool = False
    """Every execution is answered 202 at once."""
    time_limit: timedelta = timedelta(seconds=60)
    """The longest that one execution may take, whatever the caller allows."""
    poll_interval: timedelta = timedelta(milliseconds=500)
    """How long a caller should wait before it asks for a running execution again."""

    def to_json(self) -> dict[str, Any]:
        """Return the agent as the JSON object of the contract."""
        return {
            "agentId": self.agent_id, "name": self.name, "description": self.description, "type": self.type,
            "toolTypes": list(self.tool_types), "capabilities": list(self.capabilities),
            "status": "available" if self.available else "unavailable",
            "inputSchema": dict(self.input_schema), "outputSchema": dict(self.output_schema),
            "version": self.version,
        }

    def matches(self, *, capability: str | None, tool_type: str | None, status: str | None) -> bool:
        """Say whether the agent passes a filter; None or empty lets all pass."""
        return ((not capability or capability in self.capabilities)
                and (not tool_type or tool_type in self.tool_types)
                and (not status or status == ("available" if self.available else "unavailable")))


def schema_fault(schema: Mapping[str, Any], name: str, value: Any) -> str | None:
    """Return what is wrong with a value, starting with its path, or None.

    Args:
        schema: a valid JSON Schema (2020-12).
        name: what the path starts with, such as ``input``.
        value: any JSON value.
    """
    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is None:
        return None
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{name}{path}: {error.message}"[:1000]
