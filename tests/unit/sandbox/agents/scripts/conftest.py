"""Real git repositories for the demo's scripts."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


class GitRepository:
    """A repository that a test writes to."""

    def __init__(self, path: Path) -> None:
        """Make an empty one."""
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *arguments], cwd=self.path, check=True, capture_output=True,
                              text=True, timeout=30).stdout

    def commit(self, subject: str, files: Mapping[str, str | bytes]) -> None:
        """Write files and commit them."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", subject)


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Give an empty repository."""
    return GitRepository(tmp_path / "project")
