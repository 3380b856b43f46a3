"""Every example of ``docs/api.md`` is run against a running service, and has to print what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from sandbox.servers.reference import reference_url
from tests.support.cluster import ROOT, SECRET, Cluster
from web.tokens import issue_token

pytestmark = pytest.mark.acceptance
on_one_kind_of_servers = pytest.mark.parametrize("cluster", ["valkey"], indirect=True, scope="module")

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMANDS = re.compile(r"^\$ (.*(?:\n {2,}.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
"""Each command, with lines that go on further to the right, and what it prints."""
_PRINTS = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
_MARK = "--- what the next command prints ---"
_PATIENCE_S = 120


def _page(template_id: str) -> str:
    """Return the page as if its template had another name, as the two languages can't store the same one."""
    return PAGE.replace("greeting", template_id)


def _examples(page: str, kind: str) -> str:
    return "".join(text for found, text in _BLOCKS.findall(page) if found == kind)


def _prepare(folder: Path, page: str) -> None:
    """Write the files of the page that have names."""
    for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        (folder / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")


def _run(folder: Path, argv: list[str], environment: Mapping[str, str]) -> str:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(argv, cwd=folder, env={"PATH": programs, "HOME": str(folder), **environment}, text=True,
                          capture_output=True, timeout=_PATIENCE_S, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def _matches(expected: str, printed: str) -> bool:
    """Say whether a text is the expected one, in which dots stand for anything: within a line, or for lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "...\n" else re.escape(line).replace(re.escape("..."), ".*")
                      for line in expected.splitlines(keepends=True))
    return re.fullmatch(pattern, printed) is not None


@on_one_kind_of_servers
def test_every_command_prints_what_the_page_says(cluster: Cluster, tmp_path: Path) -> None:
    page = _page("greeting").replace(reference_url(8080), cluster.url)
    _prepare(tmp_path, page)
    commands = _COMMANDS.findall(_examples(page, "console"))
    script = "set -euo pipefail\n" + "".join(f"{command}\necho '{_MARK}'\n" for command, _ in commands)
    (tmp_path / "session.sh").write_text(script, encoding="utf-8")
    printed = _run(tmp_path, ["bash", "session.sh"], {"JWT_SECRET": SECRET}).replace("\r\n", "\n").split(_MARK + "\n")
    assert len(commands) > 20
    for (command, expected), text in zip(commands, printed, strict=False):
        # an answer of curl ends without a line break
        text = text if text.endswith("\n") or not text else text + "\n"
        assert _matches(expected, text), f"{command}\nprinted\n{text}\nnot\n{expected}"


@on_one_kind_of_servers
def test_every_piece_of_python_prints_what_the_page_says(cluster: Cluster, tmp_path: Path) -> None:
    page = _page("welcome")
    _prepare(tmp_path, page)
    program = _examples(page, "python")
    (tmp_path / "session.py").write_text(program, encoding="utf-8")
    token = issue_token(SECRET, "ada", "admin", "default", timedelta(hours=1))
    printed = _run(tmp_path, [sys.executable, "-W", "error", "session.py"],
                   {"API": f"{cluster.url}/api/v1", "TOKEN": token})
    expected = _PRINTS.findall(program)
    assert len(expected) == program.count("print(") > 20
    assert printed.splitlines() == expected


@on_one_kind_of_servers
def test_the_generated_client_is_used_as_the_page_says(cluster: Cluster, tmp_path: Path) -> None:
    page = _page("generated").replace(reference_url(8080), cluster.url)
    _prepare(tmp_path, page)
    token = issue_token(SECRET, "ada", "admin", "default", timedelta(hours=1))
    stored = requests.post(f"{cluster.url}/api/v1/templates", data=(tmp_path / "generated.yaml").read_bytes(),
                           headers={"Authorization": f"Bearer {token}", "Content-Type": "application/yaml"}, timeout=10)
    assert stored.status_code == 201
    (tmp_path / "config.yaml").write_text("post_hooks: []", encoding="utf-8")  # no formatter afterwards
    generator = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--config", "config.yaml",
                 "--meta", "none", "--output-path", "agentic_workflow_service_client", "--url",
                 f"{cluster.url}/api/openapi.json"]
    subprocess.run(generator, cwd=tmp_path, check=True, timeout=_PATIENCE_S, capture_output=True)
    [program] = re.findall(r"^```\n(import os\n.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    [expected] = _PRINTS.findall(program)
    assert _run(tmp_path, [sys.executable, "program.py"], {"TOKEN": token}) == f"{expected}\n"


@pytest.mark.parametrize(("expected", "printed", "same"), [
    ("a\n", "a\n", True), ("a\n", "b\n", False), ("a...c\n", "abc\n", True), ("a...c\n", "a\nc\n", False),
    ("a\n...\nc\n", "a\nb\nb\nc\n", True), ("a\n...\nc\n", "a\nc\n", True), ("a\n...\nc\n", "a\nb\n", False),
    ("", "", True), ("", "a\n", False), ("a...\nb\n", "ax\nb\n", True), ("a...\nb\n", "ax\nx\nb\n", False),
    ("a...\n...\nb\n", "ax\nx\nb\n", True)])
def test_dots_stand_for_what_differs(expected: str, printed: str, same: bool) -> None:
    assert _matches(expected, printed) is same


def test_every_example_is_one_that_is_run() -> None:
    assert {kind for kind, _ in _BLOCKS.findall(PAGE)} == {"console", "python", "yaml"}
