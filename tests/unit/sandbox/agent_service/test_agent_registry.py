"""Reading the registry file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.agent_service.config import PACKAGED_REGISTRY
from sandbox.agent_service.errors import AgentNotFound, RegistryError
from sandbox.agent_service.registry import load_registry

ECHO: dict[str, Any] = {"agentId": "e1", "name": "E", "type": "echo", "version": "1", "toolTypes": ["api"],
                        "capabilities": []}
API = {**ECHO, "agentId": "a1", "type": "connector", "tool": {"api": {"method": "GET", "url": "http://h/"}}}


def write(directory: Path, *agents: Any) -> Path:
    """Write a registry file."""
    path = directory / "registry.yaml"
    path.write_text(yaml.safe_dump({"agents": list(agents)}))
    return path


def without(entry: dict[str, Any], field: str) -> dict[str, Any]:
    """Leave a field out."""
    return {name: value for name, value in entry.items() if name != field}


def test_the_packaged_registry_is_valid() -> None:
    agents = load_registry(PACKAGED_REGISTRY).find()
    assert {"echo", "echo-async", "echo-offline", "notes-writer"} <= {agent.agent_id for agent in agents}
    assert {tool_type for agent in agents if agent.type != "echo" for tool_type in agent.tool_types} == {
        "api", "script", "use_case", "mcp"}


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    agent = load_registry(write(tmp_path, ECHO)).agent("e1")
    assert agent.to_json() == {
        "agentId": "e1", "name": "E", "description": "", "type": "echo", "toolTypes": ["api"], "capabilities": [],
        "status": "available", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}, "version": "1"}


def test_agents_keep_their_order_and_any_number_is_taken(tmp_path: Path) -> None:
    ids = [f"a{number}" for number in range(300)]
    registry = load_registry(write(tmp_path, *({**ECHO, "agentId": agent_id} for agent_id in ids)))
    assert [agent.agent_id for agent in registry.find()] == ids


def test_an_unknown_agent(tmp_path: Path) -> None:
    with pytest.raises(AgentNotFound):
        load_registry(write(tmp_path, ECHO)).agent("nobody")


@pytest.mark.parametrize(("agents", "named"), [
    ([without(ECHO, "name")], ["'e1'", "'name'"]),
    ([without(ECHO, "agentId")], ["Agent 1", "'agentId'"]),
    ([ECHO, "text"], ["Agent 2"]),
    ([ECHO, ECHO], ["'e1'", "agentId"]),
    ([{**ECHO, "agentId": "a b"}], ["'a b'", "agentId"]),
    ([{**ECHO, "toolTypes": ["shell"]}], ["'e1'", "toolTypes[0]"]),
    ([{**ECHO, "status": "asleep"}], ["'e1'", "status"]),
    ([{**ECHO, "timeout": 1}], ["'e1'", "'timeout'"]),
    ([{**ECHO, "inputSchema": {"type": "objekt"}}], ["'e1'", "inputSchema"]),
    ([without(API, "tool")], ["'a1'", "tool.api"]),
    ([{**API, "tool": {"api": {"method": "BREW", "url": "http://h/"}}}], ["'a1'", "tool.api.method"]),
    ([{**API, "toolTypes": ["api", "mcp"]}], ["'a1'", "tool.mcp"]),
    ([{**API, "toolTypes": ["mcp"], "tool": {"mcp": {"tool": "t"}}}], ["'a1'", "tool.mcp"]),
    ([{**API, "toolTypes": ["script"], "tool": {"script": {"file": "no.py"}}}], ["'a1'", "tool.script.file", "no.py"]),
    ([{**API, "toolTypes": ["script"], "tool": {"script": {"file": "registry.yaml", "limits": {"memoryMb": 0}}}}],
     ["'a1'", "tool.script.limits.memoryMb"]),
])
def test_a_wrong_agent_is_named_with_its_field(tmp_path: Path, agents: list[Any], named: list[str]) -> None:
    with pytest.raises(RegistryError) as raised:
        load_registry(write(tmp_path, *agents))
    for part in named:
        assert part in str(raised.value)


@pytest.mark.parametrize("content", ["", "agents: 3", "[1]", "agents: [", "\x00"])
def test_a_file_that_is_no_registry(tmp_path: Path, content: str) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(content)
    with pytest.raises(RegistryError, match="registry.yaml"):
        load_registry(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="none.yaml"):
        load_registry(tmp_path / "none.yaml")
