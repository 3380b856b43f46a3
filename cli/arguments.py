"""Options and argument kinds that many commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from cli.api import Api
from cli.connection import find_connection

P = ParamSpec("P")
R = TypeVar("R")


def json_object(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, Any]:
    """Read a JSON object: written out, in a file (``@path``) or on the standard input (``@-``).

    Raises:
        click.BadParameter: it is none.
    """
    try:
        given = json.loads(_text(value), parse_constant=_refuse)
    except OSError as error:
        raise click.BadParameter(f"'{value[1:]}' can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"that is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise click.BadParameter("that is JSON, but not an object ({...}).")
    return given


def optional_json_object(context: click.Context, parameter: click.Parameter,
                         value: str | None) -> dict[str, Any] | None:
    """Do as ``json_object``; None if nothing was given."""
    return None if value is None else json_object(context, parameter, value)


def attributes(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Read ``name=value`` pairs: a number or a boolean of JSON is one, everything else is a text.

    Raises:
        click.BadParameter: one is none.
    """
    found = {}
    for pair in values:
        name, sign, value = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"'{pair}' is not name=value.")
        found[name] = _scalar(value)
    return found


def _scalar(text: str) -> str | int | float | bool:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) else text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _text(value: str) -> str:
    if value == "@-":
        return sys.stdin.read()
    return Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value


def calls_api(command: Callable[Concatenate[Api, P], R]) -> Callable[..., R]:
    """Give a command the options ``--url`` and ``--token``, and an open session as its first argument."""

    @click.option("--url", envvar="WORKFLOW_SERVICE_URL", show_envvar=True, metavar="URL",
                  help="Address of the service.")
    @click.option("--token", envvar="WORKFLOW_SERVICE_TOKEN", show_envvar=True, metavar="TOKEN", help="Who asks.")
    @wraps(command)
    def connected(*args: Any, url: str | None, token: str | None, **kwargs: Any) -> R:
        with Api(find_connection(url, token, Path.cwd())) as api:
            return command(api, *args, **kwargs)

    return connected


as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's answer as JSON, for scripts.")
limited = click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True,
                       help="How many to show at most.")
