"""``workflow-service executions``: start and follow executions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api, json_object, limited
from cli.errors import CommandFailed
from cli.terminal import own_name, remark, show
from cli.views.executions import execution_page, executions_table
from cli.watching import A_DAY_S, watch_until


@click.group()
def executions() -> None:
    """Run workflows."""


@executions.command()
@click.argument("template")
@click.option("--input", "given", metavar="JSON|@FILE", callback=json_object, default="{}",
              help="What expressions know as `input`.")
@click.option("--version", help="Of the template; the latest if none is named.")
@as_json
@calls_api
def start(api: Api, template: str, given: Mapping[str, Any], version: str | None, as_json: bool) -> None:
    """Run TEMPLATE and print the id of the execution."""
    started = api.start(template, given, version)
    show(started, as_json, started["executionId"])
    if not as_json:
        remark(f"Follow it with: {own_name()} executions watch {started['executionId']}")


@executions.command("show")
@click.argument("execution_id", metavar="ID")
@as_json
@calls_api
def show_(api: Api, execution_id: str, as_json: bool) -> None:
    """Show an execution and its blocks."""
    execution = api.execution(execution_id)
    show(execution, as_json, execution_page(execution, datetime.now(UTC)))


@executions.command()
@click.argument("execution_id", metavar="ID")
@click.option("--timeout", "patience_s", type=click.IntRange(1), default=A_DAY_S, show_default=True,
              help="Seconds after which to give up.")
@calls_api
def watch(api: Api, execution_id: str, patience_s: int) -> None:
    """Follow an execution to its end; fails if it did not complete."""
    execution = watch_until(api, execution_id, timedelta(seconds=patience_s))
    if execution["status"] != "completed":
        raise CommandFailed(f"The execution is {execution['status']}; "
                            f"see: {own_name()} executions show {execution_id}")


@executions.command("list")
@click.option("--status", help="Only with this status.")
@click.option("--template", "template_id", help="Only of this template.")
@limited
@as_json
@calls_api
def list_(api: Api, status: str | None, template_id: str | None, limit: int, as_json: bool) -> None:
    """List executions, the latest first."""
    page = api.executions(limit, status=status, templateId=template_id)
    show(page, as_json, executions_table(page["executions"], datetime.now(UTC)))
    if not as_json and page["total"] > len(page["executions"]):
        remark(f"{len(page['executions'])} of {page['total']}; --limit shows more.")
