"""The commands that look at templates closely and put them away, against a fake service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.cli.documents import template
from tests.unit.cli.fake_service import FakeService

URL = "/api/v1/templates/review"
PLAN: dict[str, Any] = {
    "templateId": "review", "version": "1.0.0", "blockCount": 5, "widestLevel": 2, "maxParallelBlocks": 3,
    "gates": ["ask"], "criticalPath": ["a", "b", "ask"], "estimatedDuration": 90_000,
    "onlyAfterFailures": ["undo", "tell"], "segments": [
        {"wave": 1, "lines": [{"runs": [["a"]]}], "join": None},
        {"wave": 2, "lines": [{"runs": [["b"], ["b2"]]}, {"runs": [["c"]]}], "join": {"runs": [["d"]]}},
        {"wave": 3, "lines": [{"runs": [["ask"]]}], "join": None}]}
DIFF: dict[str, Any] = {
    "templateId": "review", "from": "1.0.0", "to": "1.1.0", "orderChanged": True,
    "addedBlocks": [{"path": "/blocks/1", "kind": "added", "old": None, "new": {
        "blockId": "file", "toolType": "api", "agentId": "filer"}}],
    "removedBlocks": [{"path": "/blocks/2", "kind": "removed", "new": None, "old": {
        "blockId": "mail", "toolType": "api", "agentId": "mailer"}}],
    "changedBlocks": [{"blockId": "a", "path": "/blocks/0", "changes": [
        {"path": "/blocks/0/configuration/text", "kind": "changed", "old": "x", "new": "y" * 500}]}],
    "changedSettings": [{"path": "/tags", "kind": "added", "old": None, "new": ["t"]}]}
SAME: dict[str, Any] = {**DIFF, "orderChanged": False, "addedBlocks": [], "removedBlocks": [], "changedBlocks": [],
                        "changedSettings": []}


def test_export_prints_the_file_as_it_came(client: Shell, service: FakeService) -> None:
    service.answers(f"GET {URL}/export", "templateId: review\n")
    answer = client("templates", "export", "review", "--version", "1.0.0")
    assert (answer.exit_code, answer.stdout) == (0, "templateId: review\n")
    assert service.requests[0]["query"] == {"format": ["yaml"], "version": ["1.0.0"]}


@pytest.mark.parametrize(("name", "arguments", "format"), [
    ("t.yaml", [], "yaml"), ("t.json", [], "json"), ("t.txt", [], "yaml"), ("t.yaml", ["--format", "json"], "json")])
def test_export_writes_a_file(client: Shell, service: FakeService, tmp_path: Path, name: str, arguments: list[str],
                              format: str) -> None:
    service.answers(f"GET {URL}/export", "text\n")
    answer = client("templates", "export", "review", "--out", name, *arguments)
    assert (answer.exit_code, answer.stdout) == (0, f"Wrote {name}.\n")
    assert (tmp_path / name).read_bytes() == b"text\n"
    assert service.requests[0]["query"] == {"format": [format]}


def test_export_of_what_there_is_not_writes_nothing(client: Shell, tmp_path: Path) -> None:
    answer = client("templates", "export", "review", "--out", "t.yaml")
    assert (answer.exit_code, answer.stderr) == (1, "Error: There is nothing at this address.\n")
    assert not (tmp_path / "t.yaml").exists()


def test_export_to_nowhere(client: Shell, service: FakeService) -> None:
    service.answers(f"GET {URL}/export", "text\n")
    answer = client("templates", "export", "review", "--out", "no/such/folder.yaml")
    assert answer.exit_code == 1 and "can't be written" in answer.stderr


def test_diff_shows_each_difference(client: Shell, service: FakeService) -> None:
    service.answers(f"GET {URL}/diff", DIFF)
    lines = client("templates", "diff", "review", "1.0.0", "1.1.0").stdout.splitlines()
    assert service.requests[0]["query"] == {"from": ["1.0.0"], "to": ["1.1.0"]}
    assert [line[:30].strip() for line in lines] == [
        "review 1.0.0 -> 1.1.0", "+ block file  api by filer", "- block mail  api by mailer", "~ block a",
        '~ configuration.text  "x"', '+ tags  ["t"]', "~ order of the blocks"]


def test_diff_without_a_difference(client: Shell, service: FakeService) -> None:
    service.answers(f"GET {URL}/diff", SAME)
    assert "Nothing differs." in client("templates", "diff", "review", "1.0.0").stdout
    assert service.requests[0]["query"] == {"from": ["1.0.0"]}


def test_validate_a_sound_template(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/validate", {"valid": True, "issues": []})
    answer = client("templates", "validate", "review", "--version", "1.0.0")
    assert answer.exit_code == 0 and "could run" in answer.stdout
    assert service.requests[0]["query"] == {"version": ["1.0.0"]}


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_validate_names_each_fault_and_fails(client: Shell, service: FakeService, arguments: list[str]) -> None:
    service.answers(f"POST {URL}/validate", {"valid": False, "issues": [
        {"path": "blocks[0].agentId", "code": "unknown_agent", "message": "There is no agent 'x'.",
         "allowed": ["echo"]}]})
    answer = client("templates", "validate", "review", *arguments)
    assert answer.exit_code == 1 and "blocks[0].agentId" in answer.stdout and "echo" in answer.stdout


def test_plan_is_a_tree(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/plan", PLAN)
    lines = [line.rstrip() for line in client("templates", "plan", "review").stdout.splitlines()]
    assert lines == [
        "review 1.0.0  5 blocks, at most 2 side by side, limit 3, about 1 min 30 s", "├── wave 1", "│   └── a",
        "├── wave 2", "│   ├── b -> b2", "│   ├── c", "│   └── then d", "└── wave 3", "    └── ask (asks a person)",
        "Critical path: a -> b -> ask", "Only after a failure: undo, tell"]


def test_plan_does_not_know_every_duration(client: Shell, service: FakeService) -> None:
    service.answers(f"POST {URL}/plan", {**PLAN, "estimatedDuration": None, "maxParallelBlocks": None})
    first = client("templates", "plan", "review").stdout.splitlines()[0]
    assert "duration not known" in first and "limit" not in first


@pytest.mark.parametrize(("command", "request_line", "answer", "text"), [
    ("publish", f"POST {URL}/publish", template(a=[]), "review 1.0.0 is published.\n"),
    ("archive", f"POST {URL}/archive", template(a=[]), "review is archived.\n"),
    ("delete", f"DELETE {URL}", {"success": True}, "review is deleted.\n")])
def test_life_of_a_template(client: Shell, service: FakeService, command: str, request_line: str,
                            answer: dict[str, Any], text: str) -> None:
    service.answers(request_line, answer)
    assert client("templates", command, "review").stdout == text
    assert json.loads(client("templates", command, "review", "--json").stdout) == answer


def test_delete_says_what_is_in_the_way(client: Shell, service: FakeService) -> None:
    service.answers(f"DELETE {URL}", {"message": "1 execution has not ended: e1."}, status=409)
    answer = client("templates", "delete", "review")
    assert (answer.exit_code, answer.stderr) == (1, "Error: 1 execution has not ended: e1.\n")


def test_list_asks_for_a_status(client: Shell, service: FakeService) -> None:
    service.answers("GET /api/v1/templates", {"templates": [{**template(a=[]), "status": "archived"}], "total": 1})
    answer = client("templates", "list", "--status", "archived")
    assert "archived" in answer.stdout
    assert service.requests[0]["query"]["status"] == ["archived"]
