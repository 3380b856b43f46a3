"""The parts of ``workflow-service executions`` by which executions are told what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api, json_object, limited
from cli.terminal import show
from cli.views.signals import sent, signals_table


@click.command()
@click.argument("execution_id", metavar="ID")
@click.argument("name")
@click.option("--payload", metavar="JSON|@FILE", callback=json_object, default="{}",
              help="What the block that takes it has in its output; an empty object if not given.")
@click.option("--idempotency-key", "key", help="The same key sends one signal, however often it is sent.")
@as_json
@calls_api
def signal(api: Api, execution_id: str, name: str, payload: Mapping[str, Any], key: str | None,
           as_json: bool) -> None:
    """Send the signal NAME to an execution; it is kept until a block takes it."""
    answer = api.signal(execution_id, name, payload, key)
    show(answer, as_json, sent(answer))


@click.command()
@click.argument("execution_id", metavar="ID")
@limited
@as_json
@calls_api
def signals(api: Api, execution_id: str, limit: int, as_json: bool) -> None:
    """List the signals that were sent to an execution, the oldest first."""
    page = api.signals(execution_id, limit)
    show(page, as_json, signals_table(page["signals"]))


COMMANDS = (signal, signals)
"""What ``executions`` gets from here."""
