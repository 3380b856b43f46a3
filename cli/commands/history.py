"""The parts of ``workflow-service executions`` that tell what happened, and whether all of it can be right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api
from cli.errors import CommandFailed
from cli.event_stream import follow_events
from cli.terminal import console, remark, show
from cli.views.history import history_table, log_lines, verification_page

_PAGE = 1000
_PAUSE = timedelta(seconds=1)
"""How long to rest before a lost connection is made again."""
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
@click.option("--follow", "-f", is_flag=True, help="Go on until the execution has ended; JSON comes line by line then.")
@as_json
@calls_api
def logs(api: Api, execution_id: str, level: str | None, block_id: str | None, follow: bool, as_json: bool) -> None:
    """Tell what happened in an execution, a line for each event."""
    if follow:
        return _follow(api, execution_id, as_json, level=level, blockId=block_id)
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


def _follow(api: Api, execution_id: str, as_json: bool, **wanted: str | None) -> None:
    """Print entries as they come, to the end of the execution."""
    for event in follow_events(lambda after: api.followed_logs(execution_id, after, **wanted), _PAUSE):
        if event.name == "end":
            remark(f"The execution is {event.content['status']}.")
        elif as_json:
            click.echo(json.dumps(event.content, ensure_ascii=False))
        else:
            console().print(log_lines([event.content]))


def _all_logs(api: Api, execution_id: str, **wanted: str | None) -> Sequence[Mapping[str, Any]]:
    page = api.logs(execution_id, 0, _PAGE, **wanted)
    entries = list(page["logs"])
    while page["logs"] and len(entries) < page["total"]:
        page = api.logs(execution_id, len(entries), _PAGE, **wanted)
        entries += page["logs"]
    return entries
