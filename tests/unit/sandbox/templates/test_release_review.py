"""The demo's template, walked block by block against the real Agent Service without the engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator

from sandbox import templates
from tests.support.services import running_agent_service
from workflow_service.domain.expressions import evaluate_condition, resolve
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA

PATIENCE_SECONDS = 30
TEMPLATE: dict[str, Any] = yaml.safe_load(
    (Path(templates.__file__).parent / "release-review.yaml").read_text(encoding="utf-8"))
BLOCKS: dict[str, dict[str, Any]] = {block["blockId"]: block for block in TEMPLATE["blocks"]}


@pytest.fixture(scope="module")
def agent_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the reference service."""
    with running_agent_service(tmp_path_factory.mktemp("demo")) as server:
        yield server.url


def test_the_template_has_the_right_structure() -> None:
    Draft202012Validator(TEMPLATE_SCHEMA).validate(TEMPLATE)


def test_every_block_has_an_agent_that_can_do_it(agent_service: str) -> None:
    listed = requests.get(f"{agent_service}/agents", timeout=PATIENCE_SECONDS).json()["agents"]
    agents = {agent["agentId"]: agent for agent in listed}
    for block in BLOCKS.values():
        agent = agents[block["agentId"]]
        assert block["toolType"] in agent["toolTypes"]
        assert block["agentType"] == agent["type"]
        assert set(agent["inputSchema"].get("required", [])) <= set(block["configuration"])


@pytest.mark.parametrize(("files", "reviewer", "skipped"), [
    ({}, "deep_review", "quick_review"),
    ({"README.md": "x", "LICENSE": "x", "test_a.py": "x\n"}, "quick_review", "deep_review"),
])
def test_the_walk_ends_with_edited_notes(
        agent_service: str, tmp_path: Path, files: Mapping[str, str], reviewer: str, skipped: str) -> None:
    repository = _repository(tmp_path / "project", {"a.py": "# TODO\n", **files})
    walk = Walk(agent_service, {"repository": str(repository), "outputDirectory": f"out-{reviewer}",
                                "policyUrl": f"{agent_service}/reference/release-policy"})
    walk.run(edit={"write_notes": {"notes": "Edited.\n"}})
    assert reviewer in walk.outputs and skipped not in walk.outputs
    assert walk.attempts == {**dict.fromkeys(walk.outputs, 1), "policy": 3}
    assert walk.outputs[reviewer]["output"]["review"] in walk.outputs["draft"]["output"]["notes"]
    assert Path(walk.outputs["write_notes"]["output"]["path"]).read_text() == "Edited.\n"


class Walk:
    """Runs the blocks one after the other, as the engine would; they stand in the template in such an order."""

    def __init__(self, agent_service: str, given: Mapping[str, Any]) -> None:
        """Take the service and the execution's input."""
        self.outputs: dict[str, dict[str, Any]] = {}
        self.attempts: dict[str, int] = {}
        self._agent_service = agent_service
        self._given = given
        self._dead: set[str] = set()

    def run(self, edit: Mapping[str, Mapping[str, Any]]) -> None:
        """Run all blocks; ``edit`` are the responses of the approver."""
        for block_id, block in BLOCKS.items():
            if block_id not in self._dead:
                given = {**resolve(block["configuration"], self._variables()), **edit.get(block_id, {})}
                self.outputs[block_id] = {"output": self._call(block, given)}
                self._branch(block)

    def _variables(self) -> dict[str, Any]:
        return {"input": self._given, "context": {}, "blocks": self.outputs}

    def _call(self, block: dict[str, Any], given: dict[str, Any]) -> Any:
        execution_id = str(self._given["outputDirectory"])
        for attempt in range(1, block.get("retryPolicy", {}).get("maxRetries", 0) + 2):
            self.attempts[block["blockId"]] = attempt
            answer = requests.post(
                f"{self._agent_service}/agents/{block['agentId']}/executions", timeout=PATIENCE_SECONDS,
                headers={"Idempotency-Key": f"{execution_id}:{block['blockId']}:0"},
                json={"workspaceId": "w", "executionId": execution_id, "blockId": block["blockId"],
                      "toolType": block["toolType"], "input": given, "timeoutMs": 30_000})
            if answer.status_code == 200:
                return answer.json()["output"]
            assert answer.json()["class"] == "transient", answer.text
        raise AssertionError(answer.text)

    def _branch(self, block: dict[str, Any]) -> None:
        branches = block.get("conditions", {}).get("branches", [])
        variables = {**self._variables(), "output": self.outputs[block["blockId"]]["output"]}
        taken = [branch for branch in branches
                 if branch.get("default") or evaluate_condition(branch["condition"], variables)][:1]
        for branch in branches:
            if branch not in taken:
                self._dead.update(branch["nextBlocks"])


def _repository(path: Path, files: Mapping[str, str]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_text(content)
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "Start"]):
        subprocess.run(["git", *identity, *arguments], cwd=path, check=True, timeout=PATIENCE_SECONDS)
    return path
