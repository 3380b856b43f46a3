"""The demo as a person runs it: the installed command, every process for real."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import CommandFailed
from sandbox.demo.people import SIGNATURE
from tests.acceptance.stack_folder import StackFolder, eventually

pytestmark = pytest.mark.acceptance
_PATIENCE_S = 180
_ATTEMPTS = {"history": 1, "size": 1, "risk": 1, "policy": 3, "assess": 1, "draft": 1, "write_notes": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StackFolder]:
    """A small repository; whatever runs in it at the end is a fault of the test's subject."""
    folder = StackFolder(tmp_path)
    yield folder
    assert eventually(lambda: not folder.left_processes(), 20), folder.left_processes()


def test_the_main_job_is_shown_from_end_to_end(folder: StackFolder) -> None:
    demo = folder.start("demo")
    output, _ = demo.communicate(timeout=_PATIENCE_S)
    assert demo.returncode == 0, output
    assert _attempts(output) == _ATTEMPTS
    assert re.search(r"write_notes +awaiting approval", output)
    assert re.search(r"write_notes .* completed \(answered by vera\)", output)
    notes = folder.directory.workspace / "release-review" / "RELEASE_NOTES.md"
    assert str(notes) in output
    assert notes.read_text(encoding="utf-8").splitlines()[-1] == SIGNATURE
    assert not folder.left_processes()


def test_the_worker_is_killed_in_the_middle(folder: StackFolder) -> None:
    demo = folder.start("demo")
    assert eventually(lambda: _runs_a_block(folder))
    record = folder.directory.record()
    assert record is not None
    os.kill(record.pids["worker-blocks"], signal.SIGKILL)
    output, _ = demo.communicate(timeout=_PATIENCE_S)
    assert demo.returncode == 0, output
    assert "worker-blocks ended (killed by SIGKILL)" in output
    assert _attempts(output).keys() == _ATTEMPTS.keys()
    notes = folder.directory.workspace / "release-review" / "RELEASE_NOTES.md"
    assert notes.read_text(encoding="utf-8").splitlines()[-1] == SIGNATURE


def _attempts(output: str) -> dict[str, int]:
    """Return the attempts of the completed blocks, out of the closing table; without the one review that was run."""
    rows = re.findall(r"^ (\w+) +\S+ +(\d+) +[\d.]+ \w+ +✓ completed", output, re.MULTILINE)
    return {name: int(number) for name, number in rows if not name.endswith("_review")}


def _runs_a_block(folder: StackFolder) -> bool:
    """Say whether an execution has a block that runs."""
    try:
        with folder.api() as api:
            started = api.executions(1)["executions"]
            blocks = api.execution(started[0]["executionId"])["blockExecutions"] if started else []
    except CommandFailed:
        return False
    return any(block["status"] == "running" for block in blocks)
