"""The wiring of the reference State Management Service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from sandbox.state_service.app import DATABASE, create_app
from sandbox.state_service.config import StateServiceConfig
from tests.support.openapi import Contract


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    built = create_app(StateServiceConfig(directory=tmp_path / "made" / "on the way", max_body_bytes=1000))
    yield built
    built.extensions[DATABASE].close()


def test_the_routes_are_those_of_the_contract(app: Flask) -> None:
    routes = {(method, re.sub(r"<(\w+)>", _wire_name, rule.rule)) for rule in app.url_map.iter_rules()
              if rule.endpoint != "static" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}

    assert routes == Contract.named("state-service").operations


def _wire_name(found: re.Match[str]) -> str:
    first, second = found[1].split("_")
    return f"{{{first}{second.title()}}}"


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nowhere", 404, "not_found"), ("DELETE", "/health", 405, "method_not_allowed"),
    ("POST", "/workspaces/w/plays/p", 405, "method_not_allowed"),
])
def test_unknown_paths_and_methods_are_answered_as_errors(app: Flask, method: str, path: str, status: int,
                                                          code: str) -> None:
    answer = app.test_client().open(path, method=method)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_the_longest_body_is_a_setting(app: Flask) -> None:
    answer = app.test_client().post("/checkpoints", data=b" " * 1001)

    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


def test_an_unexpected_failure_shows_the_client_nothing(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    app.extensions[DATABASE].close()

    answer = app.test_client().get("/workspaces/w/plays")

    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert "database" not in answer.get_data(as_text=True)
    assert "closed database" in caplog.text
