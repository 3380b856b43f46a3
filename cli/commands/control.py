"""The parts of ``workflow-service executions`` by which an operator steps in."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import click

from cli.api import Api
from cli.arguments import as_json, calls_api, optional_json_object
from cli.errors import CommandFailed
from cli.following import follow
from cli.terminal import own_name, remark, show
from cli.views.control import outcome, restart_page
from cli.views.standing import at_work
from cli.watching import A_DAY_S, INTERVAL, watch_until

Document = Mapping[str, Any]
reason = click.option("--reason", metavar="TEXT", help="For the record.")
clock = click.option("--clock", type=click.Choice(["stop", "run"]),
                     help="Whether time-outs stand still meanwhile, or run on; they stop unless you say otherwise.")


@click.command()
@click.argument("execution_id", metavar="ID")
@clock
@reason
@click.option("--wait", "waits", is_flag=True, help="Follow it until nothing is at work any more.")
@click.option("--timeout", "patience_s", type=click.IntRange(1), default=A_DAY_S, show_default=True,
              help="Seconds after which --wait gives up.")
@as_json
@calls_api
def pause(api: Api, execution_id: str, clock: str | None, reason: str | None, waits: bool, patience_s: int,
          as_json: bool) -> None:
    """Let nothing of an execution start; what runs may end."""
    answer = api.pause(execution_id, clock=clock, reason=reason)
    if waits and answer["status"] == "pausing":
        answer |= _when_paused(api, execution_id, timedelta(seconds=patience_s), as_json)
    show(answer, as_json, outcome(execution_id, answer))
    if waits and answer["status"] != "paused":
        raise CommandFailed(f"The execution is not paused, it is {answer['status']}.")
    if answer["status"] == "pausing" and not as_json:
        remark(f"Wait for it with: {own_name()} executions pause {execution_id} --wait")


@click.command()
@click.argument("execution_id", metavar="ID")
@as_json
@calls_api
def resume(api: Api, execution_id: str, as_json: bool) -> None:
    """Let an execution that was paused go on."""
    answer = api.resume(execution_id)
    show(answer, as_json, outcome(execution_id, answer))
    if answer["holds"] and not as_json:
        remark(f"See: {own_name()} holds list")


@click.command()
@click.argument("execution_id", metavar="ID")
@click.option("--force", is_flag=True, help="Have the agents stopped that are at work, instead of letting them end.")
@reason
@click.option("--yes", is_flag=True, help="Do not ask whether --force is meant.")
@as_json
@calls_api
def cancel(api: Api, execution_id: str, force: bool, reason: str | None, yes: bool, as_json: bool) -> None:
    """End an execution; what runs may end, with --force it is stopped."""
    if force and not yes and sys.stdin.isatty():
        _ask_about(api.execution(execution_id)["inFlight"])
    answer = api.cancel(execution_id, mode="force" if force else None, reason=reason)
    show(answer, as_json, outcome(execution_id, answer))


@click.command()
@click.argument("execution_id", metavar="ID")
@click.option("--from", "from_block", metavar="BLOCK", help="This block and all that follows from it.")
@click.option("--failed-only", is_flag=True, help="What failed, was rejected or was cancelled, as without this.")
@click.option("--reset-state", is_flag=True, help="Forget what was kept of the first run; without --from, all of it.")
@click.option("--input-patch", metavar="JSON|@FILE", callback=optional_json_object,
              help="Changes the execution's input: a JSON merge patch, in which null takes a field away.")
@click.option("--definition", metavar="original|latest|VERSION", help="Of the template; original if not named.")
@click.option("--dry-run", is_flag=True, help="Show what would run again; change nothing.")
@as_json
@calls_api
def restart(api: Api, execution_id: str, from_block: str | None, failed_only: bool, reset_state: bool,
            input_patch: Document | None, definition: str | None, dry_run: bool, as_json: bool) -> None:
    """Run a part of an execution again, or all of it.

    Without --from, what failed, was rejected or was cancelled runs again; with --reset-state all of it.
    """
    if from_block and failed_only:
        raise click.UsageError("Say either --from or --failed-only.")
    answer = api.restart(execution_id, fromBlock=from_block, failedOnly=failed_only or None,
                         resetState=reset_state or None, inputPatch=input_patch, definition=definition,
                         dryRun=dry_run or None)
    show(answer, as_json, restart_page(execution_id, answer))
    if not as_json:
        remark("Nothing was changed; without --dry-run it is." if dry_run else
               f"Follow it with: {own_name()} executions watch {execution_id}")


@click.command()
@click.argument("execution_id", metavar="ID")
@click.argument("block_id", metavar="BLOCK")
@click.option("--output", metavar="JSON|@FILE", callback=optional_json_object,
              help="What expressions are to know as the block's output; an empty object if not given.")
@reason
@as_json
@calls_api
def skip(api: Api, execution_id: str, block_id: str, output: Document | None, reason: str | None,
         as_json: bool) -> None:
    """Go on after BLOCK with an output of yours.

    It has failed, or it does not end.
    """
    answer = api.skip(execution_id, block_id, output=output, reason=reason)
    show(answer, as_json, outcome(execution_id, answer, f"Block {block_id} has the output that was given."))


@click.command()
@click.argument("execution_id", metavar="ID")
@click.argument("block_id", metavar="BLOCK")
@as_json
@calls_api
def retry(api: Api, execution_id: str, block_id: str, as_json: bool) -> None:
    """Make the next attempt of BLOCK, which waits for it, now."""
    answer = api.retry(execution_id, block_id)
    show(answer, as_json, outcome(execution_id, answer, f"Block {block_id} may be tried again now."))


@click.command("cancel-block")
@click.argument("execution_id", metavar="ID")
@click.argument("block_id", metavar="BLOCK")
@click.option("--region", is_flag=True, help="Also go on without all that can be reached through BLOCK alone.")
@reason
@as_json
@calls_api
def cancel_block(api: Api, execution_id: str, block_id: str, region: bool, reason: str | None,
                 as_json: bool) -> None:
    """Go on without BLOCK, which has not ended.

    If it is at work its agent is stopped first.
    """
    answer = api.cancel_block(execution_id, block_id, region=region or None, reason=reason)
    show(answer, as_json, outcome(execution_id, answer, f"The execution goes on without block {block_id}."))


COMMANDS = (pause, resume, cancel, restart, skip, retry, cancel_block)
"""What ``executions`` gets from here."""


def _when_paused(api: Api, execution_id: str, patience: timedelta, silently: bool) -> Document:
    """Wait until an execution is not pausing any more, and return what is new about it."""
    if silently:
        *_, last = follow(lambda: api.execution(execution_id), patience, INTERVAL, _is_not_pausing)
    else:
        last = watch_until(api, execution_id, patience, _is_not_pausing)
    return {name: last[name] for name in ("status", "clock", "inFlight")}


def _is_not_pausing(execution: Document) -> bool:
    return bool(execution["status"] != "pausing")


def _ask_about(working: Sequence[Document]) -> None:
    """Ask whether agents are really to be stopped.

    Raises:
        click.Abort: they are not.
    """
    click.echo(f"At work: {at_work(working) or 'nothing'}", err=True)
    click.confirm("Stop the agents? What they answer later counts for nothing.", abort=True, err=True)
