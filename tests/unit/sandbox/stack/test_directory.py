"""The directory of a stack."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import AlreadyRunning, NotWritable


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_stack_at_a_time(tmp_path: Path) -> None:
    with StackDirectory.below(tmp_path).held():
        with pytest.raises(AlreadyRunning, match="already"), StackDirectory.below(tmp_path).held():
            pass
    with StackDirectory.below(tmp_path).held():
        pass


def test_two_directories_do_not_disturb_each_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with StackDirectory.below(tmp_path / "a").held(), StackDirectory.below(tmp_path / "b").held():
        pass


def test_what_is_temporary_goes_and_what_is_stored_stays(tmp_path: Path) -> None:
    directory = StackDirectory.below(tmp_path)
    with directory.held():
        (directory.temporary / "a").touch()
        (directory.store("valkey") / "b").touch()
    assert not list(directory.temporary.iterdir())
    assert (directory.path / "store" / "valkey" / "b").exists()


def test_a_repository_does_not_see_it(tmp_path: Path) -> None:
    directory = StackDirectory.below(tmp_path)
    with directory.held():
        assert (directory.path / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_nobody_else_may_look_in(directory: StackDirectory) -> None:
    assert _mode(directory.path) == 0o700


def test_a_place_that_can_not_be_used_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file", encoding="utf-8")
    with pytest.raises(NotWritable, match=r"\.local can't be used"), StackDirectory.below(tmp_path).held():
        pass


def test_a_secret_is_made_once_and_for_its_owner(directory: StackDirectory) -> None:
    made = directory.private_text(directory.secret_file)
    assert directory.private_text(directory.secret_file) == made
    assert directory.secret() == made
    assert len(made.encode()) >= 32
    assert _mode(directory.secret_file) == 0o600


def test_two_secrets_differ(directory: StackDirectory) -> None:
    assert directory.private_text(directory.secret_file) != directory.private_text(directory.flower_password_file)


def test_a_long_log_is_put_aside_while_somebody_writes(directory: StackDirectory) -> None:
    log = directory.log("web")
    with log.open("ab") as writer:
        writer.truncate(11 * 1024 * 1024)
        directory.shorten_logs()
        writer.write(b"next\n")
    assert log.read_bytes() == b"next\n"
    assert log.with_suffix(".log.1").stat().st_size == 11 * 1024 * 1024


def test_a_short_log_stays(directory: StackDirectory) -> None:
    directory.log("web").write_text("short\n", encoding="utf-8")
    directory.shorten_logs()
    assert directory.log("web").read_text(encoding="utf-8") == "short\n"
