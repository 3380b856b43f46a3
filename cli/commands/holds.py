"""``workflow-service holds``: hold many executions at once."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cli.api import Api
from cli.arguments import as_json, calls_api
from cli.commands.control import reason
from cli.terminal import own_name, remark, show
from cli.views.holds import holds_table, scope_of


@click.group()
def holds() -> None:
    """Hold what belongs to a template, an agent, the workspace, or all."""


@holds.command("list")
@as_json
@calls_api
def list_(api: Api, as_json: bool) -> None:
    """List the holds that this workspace is under."""
    found = api.holds()
    standing = found["holds"]
    show(found, as_json, holds_table(standing, datetime.now(UTC)) if standing else "Nothing is held.")


@holds.command()
@click.option("--service", is_flag=True, help="Everything, in all workspaces.")
@click.option("--workspace", is_flag=True, help="All executions of this workspace.")
@click.option("--template", metavar="ID", help="All executions of this template.")
@click.option("--agent", metavar="ID", help="All blocks that this agent does.")
@click.option("--clock", type=click.Choice(["stop", "run"]),
              help="Whether time-outs stand still meanwhile, or run on; they stop unless you say otherwise, but not "
                   "for an agent.")
@reason
@as_json
@calls_api
def add(api: Api, service: bool, workspace: bool, template: str | None, agent: str | None, clock: str | None,
        reason: str | None, as_json: bool) -> None:
    """Let nothing start until the hold is lifted; what runs may end."""
    said = {"service": service, "workspace": workspace, "template": template, "agent": agent}
    chosen = [scope for scope, value in said.items() if value]
    if len(chosen) != 1:
        raise click.UsageError("Say one of --service, --workspace, --template or --agent.")
    hold = api.place_hold(scope=chosen[0], target=template or agent, clock=clock, reason=reason)
    show(hold, as_json, f"Hold {hold['holdId']} on {scope_of(hold)} is {hold['status']}.")
    if not as_json:
        remark(f"Lift it with: {own_name()} holds lift {hold['holdId']}")


@holds.command()
@click.argument("hold_id", metavar="HOLD")
@as_json
@calls_api
def lift(api: Api, hold_id: str, as_json: bool) -> None:
    """Lift a hold; what it held goes on, unless something else holds it."""
    hold = api.lift_hold(hold_id)
    show(hold, as_json, f"The hold on {scope_of(hold)} is lifted.")
