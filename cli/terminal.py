"""What is printed, and where: results to the standard output, remarks to the standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType

NAME = "workflow-service"
"""The name of the command."""
_WIDTH_OF_FILES = 160
"""Columns where the output is no terminal, so that ids are not folded."""


def console() -> Console:
    """Return the console of the results."""
    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(highlight=False, width=_WIDTH_OF_FILES)


def show(answer: Any, as_json: bool, view: RenderableType) -> None:
    """Print an answer of the API: as it is for scripts, or as it looks best for people."""
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        console().print(view)


def remark(text: str) -> None:
    """Print a remark that is no result."""
    click.secho(text, err=True, dim=True)


def own_name() -> str:
    """Return how this command was called, for hints that can be copied."""
    return sys.argv[0] if Path(sys.argv[0]).name == NAME else NAME
