"""``workflow-service dev``: the development stack in the foreground."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from cli.connection import WORKSPACE
from cli.errors import CommandFailed
from cli.local import StackRecord
from cli.terminal import own_name
from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import StackError, StopRequested
from sandbox.stack.parts import FLOWER_USER
from sandbox.stack.reporting import LineReporter
from sandbox.stack.stack import running_stack
from sandbox.stack.stopping import StopRequests
from web.tokens import issue_token

_LIFETIME = timedelta(days=1)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), envvar="PORT", default=8080, show_default=True,
              show_envvar=True, help="Port of the API.")
def dev(port: int) -> None:
    """Run everything on this machine until Ctrl-C.

    Embedded servers stand in for what the environment does not name (MONGODB_URL, REDIS_URL, AGENT_SERVICE_URL,
    STATE_SERVICE_URL). All files are kept in .local and are there again at the next start.
    """
    directory = StackDirectory.below(Path.cwd())
    try:
        with StopRequests() as stopping:
            with running_stack(Path.cwd(), os.environ, port, stopping,
                               lambda plan: LineReporter(part.name for part in plan.parts)) as supervisor:
                _welcome(directory)
                supervisor.watch(until=lambda: False)
    except StopRequested:
        pass
    except StackError as error:
        raise CommandFailed(str(error)) from error
    with suppress(OSError):  # the terminal was closed
        click.echo(f"Stopped; everything is kept in {directory.path}", err=True)


def _welcome(directory: StackDirectory) -> None:
    """Print where everything is."""
    record = directory.record()
    if record is not None:
        with suppress(OSError):  # the terminal was closed
            _print_addresses(directory, record)


def _print_addresses(directory: StackDirectory, record: StackRecord) -> None:
    secret = os.environ.get("JWT_SECRET") or directory.private_text(directory.secret_file)
    token = issue_token(secret, "developer", "admin", WORKSPACE, _LIFETIME)
    lines = (
        ("API", f"{record.url}/api/docs"),
        ("Flower", f"{record.flower_url}  (user {FLOWER_USER}, password in {directory.flower_password_file})"),
        ("Logs", str(directory.path / "log")),
        ("Token", f"{token}\n"),
        ("Try", f"{own_name()} demo   (in another terminal, in this directory)"),
        ("End", "Ctrl-C"),
    )
    screen = Console(highlight=False, soft_wrap=True)
    screen.print()
    for name, text in lines:
        screen.print(Text.assemble((f"  {name:<8}", "bold"), text))
    screen.print()
