"""``workflow-service token``: makes a token for the API."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import click

from cli.connection import WORKSPACE, find_secret
from web.tokens import issue_token

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)


def duration(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    """Read a length of time such as ``30m``, ``8h`` or ``7d``.

    Raises:
        click.BadParameter: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,8})([smhd])", value)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise click.BadParameter("give a number and s, m, h or d, such as 8h; ten years at most.")
    return length


@click.command()
@click.option("--user", required=True, help="The name of the person or program.")
@click.option("--role", required=True, help="viewer, operator, designer, approver or admin.")
@click.option("--workspace", default=WORKSPACE, show_default=True, help="The workspace that it opens.")
@click.option("--lifetime", metavar="30m|8h|7d", callback=duration, default="8h", show_default=True,
              help="Until it expires.")
def token(user: str, role: str, workspace: str, lifetime: timedelta) -> None:
    """Print a token for the API, and nothing else.

    It is signed with JWT_SECRET or with the secret of the development stack of this directory. Where the service checks
    tokens with JWT_PUBLIC_KEY, only the owner of the private key can make them.
    """
    try:
        click.echo(issue_token(find_secret(os.environ, Path.cwd()), user, role, workspace, lifetime))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
