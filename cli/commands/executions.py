"""``workflow-service executions``: start and follow executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, attributes, calls_api, json_object, limited
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
@click.option("--attribute", "found_by", metavar="NAME=VALUE", multiple=True, callback=attributes,
              help="What it can be found by; may be repeated.")
@click.option("--idempotency-key", "key", help="The same key starts one execution, however often it is sent.")
@as_json
@calls_api
def start(api: Api, template: str, given: Mapping[str, Any], version: str | None, found_by: Mapping[str, Any],
          key: str | None, as_json: bool) -> None:
    """Run TEMPLATE and print the id of the execution."""
    started = api.start(template, given, version, found_by, key)
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


def _terms(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Sequence[str]:
    """Read ``name=value`` pairs as the API's ``name:value``."""
    if wrong := [pair for pair in values if "=" not in pair]:
        raise click.BadParameter(f"'{wrong[0]}' is not name=value.")
    return [pair.replace("=", ":", 1) for pair in values]


@executions.command("list")
@click.option("--status", multiple=True, help="Only with this status; may be repeated.")
@click.option("--template", "templateId", metavar="TEXT", help="Only of this template.")
@click.option("--tag", help="Only of templates with this tag.")
@click.option("--by", "createdBy", metavar="TEXT", help="Only those that this user started.")
@click.option("--error", "errorCode", metavar="TEXT", help="Only those that failed for this.")
@click.option("--attribute", metavar="NAME=VALUE", multiple=True, callback=_terms,
              help="Only those with this attribute; may be repeated.")
@click.option("--started-after", "startedAfter", metavar="INSTANT", help="Such as 2026-01-31T08:00:00Z.")
@click.option("--started-before", "startedBefore", metavar="INSTANT")
@click.option("--ended-after", "endedAfter", metavar="INSTANT")
@click.option("--ended-before", "endedBefore", metavar="INSTANT")
@click.option("--cursor", help="Where the page before ended, as it said.")
@limited
@as_json
@calls_api
def list_(api: Api, /, limit: int, as_json: bool, **wanted: str | Sequence[str] | None) -> None:
    """List executions, the latest first."""
    page = api.executions(limit, **wanted)
    show(page, as_json, executions_table(page["executions"], datetime.now(UTC)))
    if not as_json and page.get("nextCursor"):
        remark(f"{len(page['executions'])} of {page['total']}; --limit shows more, and the next are shown with "
               f"--cursor {page['nextCursor']}")
