"""The repository of the demo."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.demo.errors import DemoFailed
from sandbox.demo.repository import find_repository


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(folder), *arguments],
                   check=True, capture_output=True, timeout=30)


def test_the_top_of_the_repository_is_found(tmp_path: Path) -> None:
    _git(tmp_path, "init")
    _git(tmp_path, "commit", "--allow-empty", "-m", "Begin")
    (tmp_path / "below").mkdir()
    assert find_repository(tmp_path / "below") == tmp_path.resolve()


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    _git(tmp_path, "init")
    with pytest.raises(DemoFailed, match="no commit"):
        find_repository(tmp_path)


def test_a_folder_that_is_in_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="not in a git repository"):
        find_repository(tmp_path)
