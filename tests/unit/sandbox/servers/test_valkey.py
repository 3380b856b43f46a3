"""The embedded Valkey, started for real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis

from sandbox.servers.ports import free_port
from sandbox.servers.valkey import valkey_answers, valkey_binary, valkey_server, valkey_url
from tests.support.services import running_valkey


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, decode_responses=True)


def test_the_program_can_be_run() -> None:
    assert os.access(valkey_binary(), os.X_OK)


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as server:
        with client(server.url) as connection:
            for number in range(100):
                connection.rpush("queue", number)
        server.process.kill()
        server.process.restart()

        with client(server.url) as connection:
            assert connection.lrange("queue", 0, -1) == [str(number) for number in range(100)]


def test_without_its_log_nothing_survives(tmp_path: Path) -> None:
    port = free_port()
    with valkey_server(port, tmp_path, append_only=False) as server:
        with client(valkey_url(port)) as connection:
            connection.set("key", "value")
        server.restart()

        with client(valkey_url(port)) as connection:
            assert connection.get("key") is None


def test_full_memory_refuses_writes_and_evicts_nothing(tmp_path: Path) -> None:
    port = free_port()
    with valkey_server(port, tmp_path, max_memory_bytes=2_000_000), client(valkey_url(port)) as connection:
        connection.set("kept", "value")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            for number in range(100):
                connection.set(f"key{number}", "x" * 100_000)

        assert connection.get("kept") == "value"
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_log_of_writes_is_synced_each_second(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as server, client(server.url) as connection:
        settings = connection.config_get("appendonly", "appendfsync")

    assert settings == {"appendonly": "yes", "appendfsync": "everysec"}


def test_a_server_answers_only_while_it_runs(tmp_path: Path) -> None:
    port = free_port()
    assert not valkey_answers(port)

    with valkey_server(port, tmp_path):
        assert valkey_answers(port)

    assert not valkey_answers(port)
