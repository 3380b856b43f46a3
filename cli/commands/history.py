"""The parts of ``workflow-service executions`` that tell what happened, and whether all of it can be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api
from cli.errors import CommandFailed
from cli.terminal import console, show
from cli.views.history import history_table, log_lines, verification_page

_PAGE = 1000
_WIDE = 100
"""Columns from which on a history has room for the types of its events."""


@click.command()
@click.argument("execution_id", metavar="ID")
@click.option("--block", "block_id", help="Only of this block.")
@as_json
@calls_api
def history(api: Api, execution_id: str, block_id: str | None, as_json: bool) -> None:
    """Show every event of an execution in its order."""
    events = _all_events(api, execution_id)
    wanted = [event for event in events if block_id in (None, event["blockId"])]
    table = history_table(wanted, events[0]["timestamp"] if events else None, wide=console().width >= _WIDE)
    show({"events": wanted, "next": None}, as_json, table if wanted else "Nothing has happened.")


@click.command()
@click.argument("execution_id", metavar="ID")
@click.option("--level", type=click.Choice(["info", "warning", "error"]), help="Only of this level and those above it.")
@click.option("--block", "block_id", help="Only of this block.")
@as_json
@calls_api
def logs(api: Api, execution_id: str, level: str | None, block_id: str | None, as_json: bool) -> None:
    """Tell what happened in an execution, a line for each event."""
    entries = _all_logs(api, execution_id, level=level, blockId=block_id)
    show({"logs": entries, "total": len(entries)}, as_json, log_lines(entries) if entries else "Nothing to tell.")


@click.command()
@click.argument("execution_id", metavar="ID")
@as_json
@calls_api
def verify(api: Api, execution_id: str, as_json: bool) -> None:
    """Check that an execution follows every rule; fails if one is broken."""
    found = api.verification(execution_id)
    show(found, as_json, verification_page(found))
    if not found["valid"]:
        count = len(found["violations"])
        raise CommandFailed(f"Execution '{execution_id}' breaks its rules in {count} place{'' if count == 1 else 's'}.")


COMMANDS = (history, logs, verify)
"""What belongs to the group ``executions``."""


def _all_events(api: Api, execution_id: str) -> Sequence[Mapping[str, Any]]:
    page = api.events(execution_id, 0, _PAGE)
    events = list(page["events"])
    while page["next"] is not None:
        page = api.events(execution_id, page["next"], _PAGE)
        events += page["events"]
    return events


def _all_logs(api: Api, execution_id: str, **wanted: str | None) -> Sequence[Mapping[str, Any]]:
    page = api.logs(execution_id, 0, _PAGE, **wanted)
    entries = list(page["logs"])
    while page["logs"] and len(entries) < page["total"]:
        page = api.logs(execution_id, len(entries), _PAGE, **wanted)
        entries += page["logs"]
    return entries
