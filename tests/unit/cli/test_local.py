"""The record of a stack in its directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from cli.local import NAME, LocalDirectory, StackRecord


def _record(pid: int) -> StackRecord:
    return StackRecord(pid=pid, url="http://127.0.0.1:1", flower_url="http://127.0.0.1:2",
                       agent_service_url="http://127.0.0.1:3", pids={"web": 7})


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    local = LocalDirectory(tmp_path)
    local.write(_record(os.getpid()))
    assert local.record() == _record(os.getpid())


def test_only_the_owner_may_read_the_record(tmp_path: Path) -> None:
    local = LocalDirectory(tmp_path)
    local.write(_record(os.getpid()))
    assert stat.S_IMODE(local.record_file.stat().st_mode) == 0o600


def test_a_stack_whose_process_is_gone_does_not_run(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=20)
    local = LocalDirectory(tmp_path)
    local.write(_record(ended.pid))
    assert local.record() is None


def test_a_forgotten_stack_does_not_run(tmp_path: Path) -> None:
    local = LocalDirectory(tmp_path)
    local.write(_record(os.getpid()))
    local.forget()
    local.forget()
    assert local.record() is None


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    local = LocalDirectory(tmp_path)
    local.record_file.write_text('{"pid": 1', encoding="utf-8")
    assert local.record() is None


def test_the_directory_of_a_folder_above_is_found(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = LocalDirectory.nearest(below)
    assert found is not None and found.path == tmp_path / NAME


def test_the_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    local = LocalDirectory(tmp_path)
    assert local.secret() is None
    local.secret_file.write_text("a secret\n", encoding="utf-8")
    assert local.secret() == "a secret"
