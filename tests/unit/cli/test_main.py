"""Commands that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import GROUP
from tests.unit.cli.conftest import Shell

_GREETING = """
import click

@click.command()
def greet():
    click.echo("hello")
"""


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with three commands, of which two lead nowhere."""
    described = tmp_path / "site" / "greeting-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n", encoding="utf-8")
    (described / "entry_points.txt").write_text(
        f"[{GROUP}]\ngreet = greeting:greet\nlost = no_such_module_at_all:command\nwrong = json:dumps\n",
        encoding="utf-8")
    (tmp_path / "site" / "greeting.py").write_text(_GREETING, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.mark.usefixtures("registered")
def test_a_registered_command_runs(shell: Shell) -> None:
    assert shell("greet").stdout == "hello\n"


@pytest.mark.usefixtures("registered")
def test_help_lists_all_and_survives_what_can_not_be_loaded(shell: Shell) -> None:
    answer = shell("--help")
    assert answer.exit_code == 0
    assert all(name in answer.stdout for name in ("templates", "executions", "approvals", "token", "greet", "lost"))


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("arguments", [("lost",), ("lost", "--port", "1"), ("wrong",)])
def test_what_can_not_be_loaded_says_so_in_a_line(shell: Shell, arguments: tuple[str, ...]) -> None:
    answer = shell(*arguments)
    assert answer.exit_code == 1
    assert "pip install" in answer.stderr and answer.stderr.count("\n") == 1


def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    assert shell("fly").exit_code == 2
