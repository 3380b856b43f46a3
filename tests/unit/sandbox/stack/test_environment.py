"""The environment of the parts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sandbox
from sandbox.stack.directory import StackDirectory
from sandbox.stack.environment import environment


def test_what_the_person_has_is_kept(tmp_path: Path) -> None:
    assert environment(StackDirectory.below(tmp_path), {"HOME": "/home/a"}, tmp_path)["HOME"] == "/home/a"


def test_paths_stay_right_in_another_folder(tmp_path: Path) -> None:
    told = environment(StackDirectory.below(tmp_path), {"WORKFLOW_CONFIG": "a.yml", "PYTHONPATH": ".:/b"}, tmp_path)
    assert told["WORKFLOW_CONFIG"] == str(tmp_path / "a.yml")
    assert told["PYTHONPATH"].split(":")[:2] == [str(tmp_path), "/b"]


def test_an_empty_python_path_does_not_become_the_folder(tmp_path: Path) -> None:
    assert str(tmp_path) not in environment(StackDirectory.below(tmp_path), {}, tmp_path)["PYTHONPATH"].split(":")


def test_the_parts_find_the_modules_that_run_here(tmp_path: Path) -> None:
    told = environment(StackDirectory.below(tmp_path), {}, tmp_path)
    answer = subprocess.run([sys.executable, "-c", "import sandbox; print(sandbox.__file__)"], cwd=tmp_path, text=True,
                            env={**os.environ, **told}, check=True, capture_output=True, timeout=30)
    assert answer.stdout.strip() == sandbox.__file__


def test_no_proxy_is_asked_for_this_machine(tmp_path: Path) -> None:
    told = environment(StackDirectory.below(tmp_path), {"no_proxy": "corp", "HTTP_PROXY": "http://p"}, tmp_path)
    assert told["NO_PROXY"] == told["no_proxy"] == "corp,127.0.0.1,localhost"


def test_temporary_files_stay_in_the_directory(tmp_path: Path) -> None:
    directory = StackDirectory.below(tmp_path)
    assert environment(directory, {"TMPDIR": "/tmp"}, tmp_path)["TMPDIR"] == str(directory.temporary)
