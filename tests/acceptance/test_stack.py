"""The development stack as a person runs it: started, ended, started again, killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.servers.ports import free_port
from sandbox.stack.probes import is_free
from tests.acceptance.stack_folder import StackFolder, eventually

pytestmark = pytest.mark.acceptance
_TEMPLATE = Path(__file__).parents[2] / "sandbox" / "templates" / "release-review.yaml"


class RunningStack:
    """A stack that has said where it is."""

    def __init__(self, folder: StackFolder, port: int) -> None:
        """Start it and read until it is ready."""
        self.port = port
        self.process = folder.start("dev", "--port", str(port))
        assert self.process.stdout is not None
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if line.strip().startswith("End "):
                return
        pytest.fail(f"The stack ended at its start:\n{self.output}")

    def end(self, sent: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(sent)
        self.output += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def said(self, name: str) -> str:
        """Return what it printed beside a word."""
        found = re.search(rf"^ *{name} +(\S+)", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StackFolder]:
    """A small repository."""
    folder = StackFolder(tmp_path)
    yield folder
    assert eventually(lambda: not folder.left_processes(), 20), folder.left_processes()


def test_what_was_stored_is_there_again_and_nothing_is_left(folder: StackFolder) -> None:
    port = free_port()
    first = RunningStack(folder, port)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {first.said('Token')}"
        assert session.get(first.said("API"), timeout=10).ok
        assert session.get(f"http://127.0.0.1:{port}/api/v1/templates", timeout=10).json()["total"] == 0
    assert requests.get(first.said("Flower"), timeout=10).status_code == 401
    assert folder.addresses() == {"127.0.0.1"}
    imported = folder.start("templates", "import", str(_TEMPLATE))
    assert "Stored release-review" in imported.communicate(timeout=60)[0]
    second = folder.start("dev", "--port", str(free_port()))
    assert re.fullmatch("Error: A development stack runs in .* already; .*\n", second.communicate(timeout=60)[0])
    assert first.end(signal.SIGINT) == 0
    assert not folder.left_processes() and is_free(port) and not list(folder.directory.temporary.iterdir())

    again = RunningStack(folder, port)
    listed = folder.start("templates", "list")
    assert "release-review" in listed.communicate(timeout=60)[0]
    assert again.end(signal.SIGHUP) == 0
    assert not folder.left_processes()


def test_a_supervisor_that_is_killed_leaves_nothing(folder: StackFolder) -> None:
    stack = RunningStack(folder, free_port())
    os.kill(stack.process.pid, signal.SIGKILL)
    stack.process.communicate(timeout=60)
    assert eventually(lambda: not folder.left_processes(), 20), folder.left_processes()
    assert eventually(lambda: is_free(stack.port), 20)
    answer = folder.start("templates", "list").communicate(timeout=60)[0]
    assert answer.startswith("Error: Where is the workflow service?") and answer.count("\n") == 1


def test_a_stop_while_it_starts_leaves_nothing(folder: StackFolder) -> None:
    starting = folder.start("dev", "--port", str(free_port()))
    assert eventually(lambda: folder.directory.record() is not None)
    starting.send_signal(signal.SIGTERM)
    output, _ = starting.communicate(timeout=60)
    assert starting.returncode == 0, output
    assert not folder.left_processes()


@pytest.mark.parametrize("given", ["0", "70000", "web"])
def test_a_port_that_is_none_is_wrong_usage(folder: StackFolder, given: str) -> None:
    answer = folder.start("dev", "--port", given)
    assert "--port" in answer.communicate(timeout=60)[0]
    assert answer.returncode == 2


def test_a_port_in_use_is_one_line(folder: StackFolder) -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            assert eventually(lambda: not is_free(port), 20)
            answer = folder.start("dev", "--port", str(port))
            output = answer.communicate(timeout=60)[0]
        finally:
            other.kill()
    assert answer.returncode == 1
    assert re.fullmatch(rf"Error: Port {port} is in use .*\n", output)
