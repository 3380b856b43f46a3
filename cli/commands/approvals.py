"""``workflow-service approvals``: what people are asked, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api, json_object
from cli.terminal import show
from cli.views.approvals import approval_page, approvals_table


@click.group()
def approvals() -> None:
    """Ask people."""


@approvals.command("list")
@click.option("--execution", "execution_id", help="Only of this execution.")
@as_json
@calls_api
def list_(api: Api, execution_id: str | None, as_json: bool) -> None:
    """List what waits for your answer, the oldest first."""
    found = api.pending_approvals(execution_id)
    waiting = found["approvals"]
    show(found, as_json, approvals_table(waiting, datetime.now(UTC)) if waiting else "Nothing waits for your answer.")


@approvals.command("show")
@click.argument("approval_id", metavar="ID")
@as_json
@calls_api
def show_(api: Api, approval_id: str, as_json: bool) -> None:
    """Show a request and what is to be approved."""
    approval = api.approval(approval_id)
    show(approval, as_json, approval_page(approval))


@approvals.command()
@click.argument("approval_id", metavar="ID")
@click.option("--approve/--reject", "approved", default=None, help="The answer.  [required]")
@click.option("--response", metavar="JSON|@FILE", callback=json_object, default="{}",
              help="What the form asks for, or your edits.")
@click.option("--comments", help="For the record.")
@as_json
@calls_api
def respond(api: Api, approval_id: str, approved: bool | None, response: Mapping[str, Any], comments: str | None,
            as_json: bool) -> None:
    """Answer a request; it can be answered once."""
    if approved is None:
        raise click.UsageError("Say --approve or --reject.")
    answer = api.respond(approval_id, approved, response, comments)
    show(answer, as_json, f"{'Approved' if approved else 'Rejected'}.")
