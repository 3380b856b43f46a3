"""A fake service and a shell for the tests of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from tests.unit.cli.fake_service import FakeService, fake_service

Shell = Callable[..., Result]


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A fake workflow service."""
    with fake_service() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs ``workflow-service`` in an empty directory and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("WORKFLOW_") or name.startswith("JWT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), input=given)

    return run


@pytest.fixture
def client(shell: Shell, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same, with the fake service as the one in the environment."""
    monkeypatch.setenv("WORKFLOW_SERVICE_URL", service.url)
    monkeypatch.setenv("WORKFLOW_SERVICE_TOKEN", "a-token")
    return shell
