"""The embedded MongoDB-wire server, started for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from sandbox.servers.mongodb import mongodb_answers, mongodb_command, mongodb_server, mongodb_url
from sandbox.servers.ports import free_port
from tests.support.services import running_mongodb


def client(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=5000, socketTimeoutMS=5000)


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    with running_mongodb(tmp_path) as server:
        with client(server.url) as connection:
            blocks = connection.get_default_database()["blocks"]
            blocks.create_index("name", unique=True)
            for number in range(50):
                blocks.insert_one({"_id": number, "name": f"b{number}", "fence": 0})
                blocks.update_one({"_id": number, "fence": 0}, {"$inc": {"fence": 1}})
        server.process.kill()
        server.process.restart()

        with client(server.url) as connection:
            blocks = connection.get_default_database()["blocks"]
            assert [(one["_id"], one["fence"]) for one in blocks.find().sort("_id")] == [
                (number, 1) for number in range(50)]
            with pytest.raises(PyMongoError):
                blocks.insert_one({"name": "b7"})


def test_an_orderly_end_keeps_everything_too(tmp_path: Path) -> None:
    port = free_port()
    with mongodb_server(port, tmp_path) as server:
        with client(mongodb_url(port)) as connection:
            connection.get_default_database()["blocks"].insert_one({"_id": 1})
        server.restart()

        with client(mongodb_url(port)) as connection:
            assert connection.get_default_database()["blocks"].count_documents({}) == 1


@pytest.mark.parametrize("change_streams", [False, True])
def test_it_acts_as_a_replica_set_only_for_change_streams(tmp_path: Path, change_streams: bool) -> None:
    port = free_port()
    with (mongodb_server(port, tmp_path, change_streams=change_streams),
          client(mongodb_url(port)) as connection):
        hello = connection.admin.command("hello")

    assert ("setName" in hello) is change_streams


def test_a_settings_file_that_lies_about_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path / "work", tmp_path / "home" / ".secantus"):
        folder.mkdir(parents=True)
        (folder / "secantusd.toml").write_text("[nonsense]\nkey = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SECANTUS_TEST_FAST_STORAGE", "1")
    port = free_port()

    with mongodb_server(port, tmp_path / "data"), client(mongodb_url(port)) as connection:
        assert connection.admin.command("ping")["ok"] == 1

    assert (tmp_path / "data" / "db").is_dir()


def test_the_settings_file_that_is_named_is_there() -> None:
    command = mongodb_command(1, Path("/nowhere"))

    assert Path(command[command.index("--config") + 1]).is_file()


def test_a_server_answers_only_while_it_runs(tmp_path: Path) -> None:
    port = free_port()
    assert not mongodb_answers(port)

    with mongodb_server(port, tmp_path) as server:
        assert mongodb_answers(port)
        server.kill()
        assert not mongodb_answers(port)
