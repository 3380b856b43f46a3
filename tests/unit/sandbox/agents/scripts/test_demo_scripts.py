"""What the demo's scripts measure and find in real repositories."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.agents.scripts.assess import assess
from sandbox.agents.scripts.deep_review import review_deeply
from sandbox.agents.scripts.protocol import ScriptError
from sandbox.agents.scripts.quick_review import review_quickly
from sandbox.agents.scripts.repository import Repository
from sandbox.agents.scripts.risk import measure_risk
from sandbox.agents.scripts.size import measure_size
from sandbox.agents.scripts.write_notes import write_notes
from tests.unit.sandbox.agents.scripts.conftest import GitRepository

POLICY = {"highRiskScore": 0.5, "requiredFiles": ["README", "LICENSE"], "maxLinesPerFile": 100,
          "maxTodosPerThousandLines": 5, "minTestShare": 0.1}
ODD_NAMES = ["with space.py", "ümlaut.py", "quote\".py", "tab\t.py", "line\nbreak.py", "-dash.py", "[x].py"]


def test_size(repository: GitRepository) -> None:
    repository.commit("Start", {
        "a.py": "1\n2\n3\n", "docs/b.md": "x", "c.bin": b"\0\1", "empty.py": "", "Makefile": "a\n"})
    size = measure_size({"repository": str(repository.path)})
    assert size == {
        "name": "project", "commit": repository.git("rev-parse", "HEAD").strip(),
        "files": 5, "textFiles": 3, "lines": 5, "bytes": 11,
        "topLevel": ["Makefile", "a.py", "c.bin", "docs", "empty.py"],
        "languages": [{"language": "Python", "files": 2, "lines": 3}, {"language": "Makefile", "files": 1, "lines": 1},
                      {"language": "Markdown", "files": 1, "lines": 1}, {"language": "Other", "files": 1, "lines": 0}]}


def test_only_what_is_committed_counts(repository: GitRepository) -> None:
    repository.commit("Start", {"a.py": "1\n"})
    (repository.path / "a.py").write_text("1\n2\n")
    (repository.path / "b.py").write_text("1\n")
    (repository.path / "link").symlink_to("a.py")
    repository.git("add", "link")
    assert measure_size({"repository": str(repository.path)})["lines"] == 1


def test_risk_of_a_sound_repository_is_low(repository: GitRepository) -> None:
    repository.commit("Start", {"a.py": "x = 1\n" * 50, "tests/test_a.py": "y = 1\n" * 50})
    repository.commit("Change", {"a.py": "x = 1\n" * 49 + "x = 2\n"})
    risk = measure_risk({"repository": str(repository.path)})
    factors = {factor["name"]: (factor["value"], factor["risk"]) for factor in risk["factors"]}
    assert factors == {"churn": (0.02, 0.02), "todos": (0.0, 0.0), "longestFile": (50, 0.017), "testShare": (0.5, 0.0)}
    assert (risk["level"], risk["commits"], risk["authors"]) == ("low", 2, 1)
    assert risk["score"] == pytest.approx(0.3 * 0.02 + 0.2 * 50 / 3000, abs=0.001)
    assert risk["hotspots"] == [{"path": "a.py", "commits": 1, "changedLines": 2, "lines": 50}]


def test_risk_of_a_troubled_repository_is_high(repository: GitRepository) -> None:
    for number in range(4):
        repository.commit(f"Change {number}", {"a.py": f"# TODO {number}\n" * 100, "TODOS": "TODOLIST\n"})
    risk = measure_risk({"repository": str(repository.path)})
    assert (risk["level"], risk["todos"]) == ("high", 100)
    assert [factor["risk"] for factor in risk["factors"] if factor["name"] != "longestFile"] == [1, 1, 1]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_look_back_is_limited(repository: GitRepository, limit: int) -> None:
    for number in range(5):
        repository.commit(f"Change {number}", {"a.py": f"{number}\n"})
    assert measure_risk({"repository": str(repository.path), "commits": limit})["commits"] == limit


def test_file_names_and_subjects_may_be_odd(repository: GitRepository) -> None:
    repository.commit("Start", dict.fromkeys(ODD_NAMES, "1\n"))
    repository.commit("\x1e\x1f\x01 TODO\t1\t2\t", dict.fromkeys(ODD_NAMES, "1\n# TODO\n"))
    opened = Repository(str(repository.path))
    assert set(opened.files()) == set(opened.line_counts()) == set(opened.todo_counts()) == set(ODD_NAMES)
    assert {change.path for change in opened.commits(5)[0].changes} == set(ODD_NAMES)
    deep = review_deeply({"repository": str(repository.path), "paths": ODD_NAMES})
    assert [finding["line"] for finding in deep["findings"]] == [2] * len(ODD_NAMES)


def test_a_deep_review_reads_line_by_line(repository: GitRepository) -> None:
    long_function = "def f():\n" + "    x = 1\n" * 70
    repository.commit("Start", {
        "a.py": long_function + "try:\n    pass\nexcept:\n    pass\n# FIXME\n", "bad.py": "def (\n",
        "long.txt": "x" * 200})
    deep = review_deeply({
        "repository": str(repository.path), "paths": ["a.py", "bad.py", "gone.py", "long.txt", "a.py"]})
    assert deep["reviewed"] == ["a.py", "bad.py", "long.txt"]
    assert [(found["path"], found["line"], found["text"]) for found in deep["findings"]] == [
        ("a.py", 1, "function f has 71 lines"), ("a.py", 74, "catches every exception without naming one"),
        ("a.py", 76, "is marked FIXME"), ("bad.py", 1, "is not valid Python"), ("long.txt", 1, "has 200 characters")]
    assert "5 findings" in deep["review"]


def test_a_quick_review_sorts_commits(repository: GitRepository) -> None:
    for subject in ("Start", "fix: crash", "Add search", "docs: more", "Bump x", "Improve tests"):
        repository.commit(subject, {"a.txt": subject})
    repository.commit("Rewrite", {"a.txt": "x\n" * 2000})
    quick = review_quickly({"repository": str(repository.path)})
    assert quick["kinds"] == {"other": 2, "fix": 1, "feature": 1, "documentation": 1, "maintenance": 1, "test": 1}
    assert [finding["text"] for finding in quick["findings"]] == ["Rewrite changes 2001 lines"]


@pytest.mark.parametrize("kind", ["empty", "one commit", "no files", "shallow", "bare", "subdirectory"])
def test_every_repository_can_be_measured(repository: GitRepository, tmp_path: Path, kind: str) -> None:
    path = _prepared(repository, tmp_path, kind)
    size, risk = measure_size({"repository": str(path)}), measure_risk({"repository": str(path)})
    has_files = kind not in ("empty", "no files")
    assert (size["files"] > 0) == has_files
    assert (size["commit"] is None) == (kind == "empty")
    assert 0 <= risk["score"] <= 1
    assert review_quickly({"repository": str(path)})["depth"] == "quick"
    assert review_deeply({"repository": str(path), "paths": ["a.py"]})["reviewed"] == (["a.py"] if has_files else [])
    if kind in ("one commit", "shallow"):
        assert risk["factors"][0]["value"] == 0  # an import is no churn


def _prepared(repository: GitRepository, tmp_path: Path, kind: str) -> Path:
    if kind == "empty":
        return repository.path
    repository.commit("Start", {} if kind == "no files" else {"a.py": "1\n2\n", "sub/a.py": "1\n"})
    if kind in ("one commit", "no files"):
        return repository.path
    repository.commit("fix: two", {"a.py": "1\n3\n"})
    if kind == "subdirectory":
        return repository.path / "sub"
    options = ["--bare"] if kind == "bare" else ["--depth", "1"]
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", *options, f"file://{repository.path}", str(clone)], check=True, timeout=30)
    return clone


@pytest.mark.parametrize("name", ["missing", "plain", "file"])
def test_what_is_no_repository_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ScriptError) as raised:
        measure_size({"repository": str(tmp_path / name)})
    assert (raised.value.body["code"], raised.value.body["class"]) == ("not_a_repository", "configuration")


def test_programs_named_by_the_repository_are_not_run(repository: GitRepository, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    program.chmod(0o755)
    repository.commit("Start", {".gitattributes": "*.py diff=evil\n", "a.py": "1\n"})
    repository.commit("Change", {"a.py": "2\n"})
    for name in ("core.fsmonitor", "diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager",
                 "core.sshCommand", "gpg.program"):
        repository.git("config", name, str(program))
    repository.git("config", "log.showSignature", "true")
    measure_size({"repository": str(repository.path)})
    measure_risk({"repository": str(repository.path)})
    review_deeply({"repository": str(repository.path), "paths": ["a.py"]})
    review_quickly({"repository": str(repository.path)})
    assert not mark.exists()


def test_two_thousand_files_take_less_than_two_seconds(repository: GitRepository) -> None:
    repository.commit("Start", {f"p{number % 40}/m{number}.py": "x = 1  # TODO\n" * 50 for number in range(2000)})
    for measure in (measure_size, measure_risk):
        began = time.monotonic()
        measure({"repository": str(repository.path)})
        assert time.monotonic() - began < 2


def _assessment(repository: GitRepository, **policy: Any) -> dict[str, Any]:
    given = {"repository": str(repository.path)}
    history = "Commit history:\nCommit: " + "a" * 40 + "\nAuthor: Ann\nDate: 2026\nMessage: One\n\nmore\n"
    return assess({"history": history, "size": measure_size(given), "risk": measure_risk(given),
                   "policy": {**POLICY, **policy}})


@pytest.mark.parametrize(("files", "policy", "broken", "level"), [
    ({"README.md": "x", "LICENSE": "x"}, {}, 0, "low"),
    ({"README.md": "x"}, {}, 1, "medium"),
    ({}, {}, 2, "high"),
    ({"README.md": "x", "LICENSE": "x"}, {"highRiskScore": 0.0}, 0, "high"),
    ({"README.md": "x", "LICENSE": "x"}, {"maxLinesPerFile": 10}, 1, "medium"),
    ({"README.md": "x", "LICENSE": "x"}, {"minTestShare": 0.9}, 1, "medium"),
])
def test_the_policy_decides_the_level(repository: GitRepository, files: dict[str, str], policy: dict[str, Any],
                                      broken: int, level: str) -> None:
    repository.commit("Start", {"a.py": "x = 1\n" * 20, "test_a.py": "x = 1\n" * 20, **files})
    assessment = _assessment(repository, **policy)
    assert (assessment["brokenRules"], assessment["level"]) == (broken, level)
    assert assessment["facts"].count("BROKEN") == broken
    assert assessment["changes"] == "- One (aaaaaaaaaa)"


def test_a_policy_that_lacks_a_rule_is_refused(repository: GitRepository) -> None:
    given = {"repository": str(repository.path)}
    with pytest.raises(ScriptError) as raised:
        assess({"history": "", "size": measure_size(given), "risk": measure_risk(given), "policy": {}})
    assert (raised.value.body["code"], raised.value.body["class"]) == ("invalid_policy", "configuration")


def test_notes_are_written_and_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_WORKSPACE_DIR", str(tmp_path))
    first = write_notes({"outputDirectory": "a/b", "notes": "# Ä\n"})
    again = write_notes({"outputDirectory": str(tmp_path / "a" / "b"), "notes": "# Ä\n"})
    assert first == again
    assert (tmp_path / "a/b/RELEASE_NOTES.md").read_text() == "# Ä\n"
    assert [file.name for file in (tmp_path / "a/b").iterdir()] == ["RELEASE_NOTES.md"]


@pytest.mark.parametrize("directory", ["..", "/etc", "a/../../x", "link", "link/inner"])
def test_notes_stay_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    workspace.mkdir()
    outside.mkdir()
    (workspace / "link").symlink_to(outside)
    monkeypatch.setenv("AGENT_WORKSPACE_DIR", str(workspace))
    with pytest.raises(ScriptError) as raised:
        write_notes({"outputDirectory": directory, "notes": "x"})
    assert raised.value.body["code"] == "outside_workspace"
    assert list(outside.iterdir()) == []
