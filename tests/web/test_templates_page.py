"""Every example of ``docs/templates.md`` is run: templates by the service's own rules, commands against the service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import make_server

from cli.main import main
from tests.web.conftest import SECRET
from tests.web.real_service import EchoAgents, HandWorker, a_real_service
from web.context import provide
from web.tokens import issue_token
from workflow_service.domain.agents import Agent
from workflow_service.domain.expressions import compile_expression, placeholders
from workflow_service.integrations import yaml_text

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


class Echo(EchoAgents):
    """The agent of the examples."""

    def agents(self) -> Sequence[Agent]:
        """Return the registry."""
        return [Agent(agent_id="echo", name="Echo", type="echo", tool_types=("script",),
                      input_schema={"type": "object", "properties": {"text": {"type": "string"}}})]


@pytest.fixture
def address(edge: Flask) -> Iterator[str]:
    """The address of a service that answers over HTTP."""
    provide(edge, a_real_service(SECRET, HandWorker(), Echo()))
    server = make_server("127.0.0.1", 0, edge)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _sessions(text: str) -> list[tuple[list[str], str]]:
    """Return each command of a console and what it prints."""
    return [(command.removeprefix("workflow-service ").split(), printed)
            for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)]


def test_every_command_prints_what_the_page_says(address: str, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKFLOW_SERVICE_URL", address)
    monkeypatch.setenv("WORKFLOW_SERVICE_TOKEN", issue_token(SECRET, "ada", "admin", "acme", timedelta(minutes=5)))
    run = 0
    for kind, text in EXAMPLES:
        named = re.match(r"# (\S+\.yaml)\n", text)
        if named:
            (tmp_path / named.group(1)).write_text(text, encoding="utf-8")
        for arguments, printed in _sessions(text) if kind == "console" else []:
            answer = CliRunner().invoke(main, arguments)
            assert (answer.exit_code, answer.stderr) == (0, ""), arguments
            # the server, which runs in this process, logs to the same place
            lines = [line.rstrip() for line in answer.stdout.splitlines() if " request_id=" not in line]
            assert lines == printed.splitlines(), arguments
            run += 1
    assert run >= 5


@pytest.mark.parametrize("text", [text for kind, text in EXAMPLES if kind == "yaml"])
def test_every_piece_of_yaml_is_read(text: str) -> None:
    found: Any = yaml_text.decode(text.encode())
    assert isinstance(found, dict)
    for _, source in placeholders(found):
        compile_expression(source)


def test_every_example_is_one_that_is_run() -> None:
    assert {kind for kind, _ in EXAMPLES} == {"yaml", "console"}


def test_every_field_of_the_schema_is_on_the_page() -> None:
    for name in ("templateId", "status", "inputSchema", "metadata.estimatedDuration", "sideEffects", "agentType"):
        assert f"`{name}`" in PAGE
