"""A folder with a small git repository, in which the installed command line is used as a person uses it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from cli.api import Api
from cli.connection import find_connection
from sandbox.stack.directory import StackDirectory

_PATIENCE_S = 90.0
_FILES = {"README.md": "# Counter\n", "LICENSE": "MIT\n", "counter.py": "def count(words):\n    return len(words)\n",
          "test_counter.py": "from counter import count\n\n\ndef test_count():\n    assert count('ab') == 2\n"}


class StackFolder:
    """Starts the command line in a folder and tells what is left of it."""

    def __init__(self, path: Path) -> None:
        """Make a repository with two commits."""
        self.path = path
        self.directory = StackDirectory.below(path)
        self._program = Path(sys.executable).with_name("workflow-service")
        assert self._program.exists(), "The package is not installed beside this Python: make test does it."
        self._git("init", "--initial-branch", "main")
        for number, (name, content) in enumerate(_FILES.items()):
            (path / name).write_text(content, encoding="utf-8")
            self._git("add", name)
            self._git("commit", "--message", f"Add {name} ({number})")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on; its output and its errors come in one stream."""
        environ = {name: value for name, value in os.environ.items()
                   if not name.endswith("_URL") and name not in ("PORT", "JWT_SECRET")}
        return subprocess.Popen([str(self._program), *arguments], cwd=self.path, env=environ, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def api(self) -> Api:
        """Return a session with the service that runs here."""
        return Api(find_connection(None, None, self.path))

    def left_processes(self) -> list[str]:
        """Return the processes that belong to the stack of this folder."""
        return [" ".join(process.cmdline()) for process in self._processes()]

    def addresses(self) -> set[str]:
        """Return the addresses that the stack of this folder listens on."""
        return {connection.laddr.ip for process in self._processes() for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN}

    def _processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (process.status() != psutil.STATUS_ZOMBIE
                    and process.environ().get("TMPDIR") == str(self.directory.temporary))
        except psutil.Error:
            return False

    def _git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *identity, "-C", str(self.path), *arguments], check=True, capture_output=True,
                       timeout=30)


def eventually(condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> bool:
    """Say whether a condition came true in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
