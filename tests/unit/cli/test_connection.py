"""Where address and token come from."""

from __future__ import annotations

import os
from pathlib import Path

import jwt
import pytest

from cli.connection import Connection, find_connection, find_secret
from cli.errors import CommandFailed
from cli.local import NAME, LocalDirectory, StackRecord

SECRET = "a secret of at least thirty-two bytes"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a stack runs."""
    monkeypatch.delenv("JWT_SECRET", raising=False)
    local = LocalDirectory(tmp_path / NAME)
    local.path.mkdir()
    local.secret_file.write_text(SECRET, encoding="utf-8")
    local.write(StackRecord(pid=os.getpid(), url="http://127.0.0.1:8080", flower_url="http://127.0.0.1:2",
                            agent_service_url="http://127.0.0.1:3", pids={}))
    return tmp_path


def test_what_is_given_is_taken(folder: Path) -> None:
    assert find_connection("http://there/", "t", folder) == Connection(url="http://there", token="t")


def test_the_stack_of_the_directory_needs_nothing(folder: Path) -> None:
    found = find_connection(None, None, folder)
    assert found.url == "http://127.0.0.1:8080"
    claims = jwt.decode(found.token, SECRET, ["HS256"])
    assert (claims["role"], claims["workspace"]) == ("admin", "default")


def test_a_given_token_is_used_with_the_stack_of_the_directory(folder: Path) -> None:
    assert find_connection(None, "t", folder).token == "t"


def test_a_foreign_address_is_never_sent_a_token_of_the_local_secret(folder: Path) -> None:
    with pytest.raises(CommandFailed, match="--token"):
        find_connection("http://there", None, folder)


def test_no_address_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="--url"):
        find_connection(None, None, tmp_path)


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="http://"):
        find_connection("localhost:8080", "t", tmp_path)


def test_the_secret_of_the_environment_goes_first(folder: Path) -> None:
    assert find_secret({"JWT_SECRET": "other"}, folder) == "other"
    assert find_secret({"JWT_SECRET": ""}, folder) == SECRET


def test_no_secret_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="JWT_SECRET"):
        find_secret({}, tmp_path)
