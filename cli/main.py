"""The command ``workflow-service`` and its parts.

Parts that the client must not import (the development stack, the demo) register themselves by the entry-point group
``workflow_service.commands``. Such a part is loaded when it is asked for; one that can't be loaded, because what it
needs is not installed, stays in the list and says so when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from io import TextIOWrapper

import click

from cli.commands import control, history, signals
from cli.commands.approvals import approvals
from cli.commands.executions import executions
from cli.commands.holds import holds
from cli.commands.templates import templates
from cli.commands.token import token
from cli.errors import CommandFailed

GROUP = "workflow_service.commands"
"""The entry-point group of commands that come from elsewhere."""


class ExtensibleGroup(click.Group):
    """A group of commands, of which some come from entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, sorted."""
        return sorted({*super().list_commands(ctx), *_registered()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name; None if there is none."""
        own = super().get_command(ctx, cmd_name)
        registered = _registered().get(cmd_name)
        return own or (_load(registered) if registered else None)


@click.group(cls=ExtensibleGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agentic-workflow-service")
def main() -> None:
    """Run agentic workflows: templates, executions, and the people in the loop.

    Address and token come from the options --url and --token of each command, from WORKFLOW_SERVICE_URL and
    WORKFLOW_SERVICE_TOKEN, or from the development stack that runs in this directory. Exit code: 0 done, 1 failed,
    2 wrong usage.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal that has no such sign shows another one, and is no reason to fail
            stream.reconfigure(errors="replace")


for _part in (approvals, executions, holds, templates, token):
    main.add_command(_part)
for _part in (*control.COMMANDS, *history.COMMANDS, *signals.COMMANDS):
    executions.add_command(_part)


def _registered() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except ImportError as error:
        return _unavailable(entry.name, error)
    if not isinstance(command, click.Command):
        return _unavailable(entry.name, TypeError(f"{entry.value} is not a command"))
    return command


def _unavailable(name: str, error: Exception) -> click.Command:
    def refuse(arguments: tuple[str, ...]) -> None:
        raise CommandFailed(f"'{name}' is not available here: {error}. "
                            "Install it with: pip install agentic-workflow-service[embedded]")

    return click.Command(name, callback=refuse, help="(not installed: needs the extra 'embedded')",
                         params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
                         context_settings={"ignore_unknown_options": True}, add_help_option=False)
