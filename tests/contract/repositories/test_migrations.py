"""The migrations, run as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from migrations.runner import MIGRATIONS
from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.indexes import INDEXES

ROOT = Path(__file__).parents[3]
PATIENCE_S = 40
SECRET = "s3cret"


UNUSED = {name: "http://127.0.0.1:1" for name in ("LLM_SERVICE_URL", "AGENT_SERVICE_URL", "STATE_SERVICE_URL")}
"""Addresses that the settings ask for, and no migration uses."""


def start(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "migrations", *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **UNUSED, "REDIS_URL": "redis://127.0.0.1:1", "MONGODB_URL": url})


def run(url: str, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of output and lines of errors."""
    process = start(url, *arguments)
    output, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, output.splitlines(), errors.splitlines()


def indexes(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {name: sorted((dict(index) for index in store.collection(name).list_indexes()),
                         key=lambda index: str(index["name"])) for name in INDEXES}


def assert_all_there(store: Store) -> None:
    for name, models in INDEXES.items():
        found = {index["name"]: index for index in store.collection(name).list_indexes()}
        for model in models:
            wanted = model.document
            assert dict(found[wanted["name"]]["key"]) == dict(wanted["key"])
            for option in ("unique", "sparse"):
                assert found[wanted["name"]].get(option, False) == wanted[option]
    remembered = {raw["_id"] for raw in store.collection("migrations").find()}
    assert remembered == set(MIGRATIONS)


def test_migrations_make_the_indexes_and_run_once(mongodb_url: str, store: Store) -> None:
    code, output, errors = run(mongodb_url)
    assert (code, errors) == (0, [])
    assert [line.split(":")[0] for line in output] == list(MIGRATIONS)
    assert_all_there(store)
    first = indexes(store)
    code, output, errors = run(mongodb_url)
    assert (code, output) == (0, [f"{name}: was run before" for name in MIGRATIONS])
    assert indexes(store) == first


def test_two_processes_migrate_at_once(mongodb_url: str, store: Store) -> None:
    both = [start(mongodb_url), start(mongodb_url)]
    for process in both:
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors) == (0, "")
    assert_all_there(store)


@pytest.mark.parametrize("name", MIGRATIONS)
def test_each_migration_may_run_again(store: Store, name: str) -> None:
    MIGRATIONS[name](store)
    before = store.database.list_collection_names()
    MIGRATIONS[name](store)
    assert sorted(store.database.list_collection_names()) == sorted(before)


def test_one_line_says_that_there_is_no_database() -> None:
    code, output, errors = run(f"mongodb://user:{SECRET}@127.0.0.1:1/workflow", "--wait", "0.5")
    assert (code, output) == (1, [])
    assert errors == ["The migrations did not run: MongoDB is not available at the moment. "
                      "MONGODB_URL must name a server that answers within 0.5 s."]


def test_settings_that_are_wrong_are_named_without_secrets() -> None:
    code, output, errors = run(f"mongodb://user:{SECRET}@[::1")
    assert (code, output) == (1, [])
    assert any("MONGODB_URL" in line for line in errors)
    assert not any(SECRET in line or "Traceback" in line for line in errors)
