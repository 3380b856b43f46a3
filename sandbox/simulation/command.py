"""The command ``simulate``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cli.arguments import optional_json_object
from cli.errors import CommandFailed, Fault, Refused
from cli.terminal import show
from cli.views.simulations import simulation_page
from sandbox.simulation import words
from sandbox.simulation.files import read_object
from workflow_service.domain.errors import Conflict, Invalid, InvalidTemplate
from workflow_service.domain.users import ADMIN, User
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.repositories.memory.clock import SystemClock
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.templates import Templates
from workflow_service.simulation.limits import Limits
from workflow_service.simulation.simulations import Simulations
from workflow_service.simulation.views import OUTCOMES

_USER = User(name="you", role=ADMIN, workspace_id="default")
_LIMITS = Limits(real_time=timedelta(minutes=1), events=200_000)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--mocks", type=_FILE, help="A file with input, context, mocks, decide, fail, signals and startAt.")
@click.option("--input", "given", callback=optional_json_object, metavar="JSON",
              help="What expressions know as input; @FILE reads it from a file.")
@click.option("--decide", callback=words.decisions, multiple=True, metavar="BLOCK=approve|reject[@2h]",
              help="What the person who is asked answers, and how long after the question.")
@click.option("--fail", callback=words.faults, multiple=True, metavar="NAME=CLASS[*N]",
              help="Calls for a block, or of an agent (agent:ID), that fail: transient, agent, configuration or "
                   "critical; all of them, or the first N.")
@click.option("--signal", callback=words.signals, multiple=True, metavar="NAME[@2h][=JSON]",
              help="A signal, how long after the start it comes, and with what.")
@click.option("--also", type=_FILE, multiple=True, help="Another template, which blocks run as a sub-workflow.")
@click.option("--expect", type=click.Choice(OUTCOMES), help="Exit with code 1 unless it ends like this.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API would answer, for scripts.")
def simulate(file: Path, mocks: Path | None, given: dict[str, Any] | None, decide: dict[str, Any],
             fail: dict[str, Any], signal: list[dict[str, Any]], also: Sequence[Path], expect: str | None,
             as_json: bool) -> None:
    """Show what the template in FILE would do, without running anything.

    Agents answer from mocks, or with what they were given; time is virtual, so days take moments. What the options
    say stands above what the file of --mocks says.
    """
    directives = {} if mocks is None else read_object(mocks)
    told = {**directives, **({} if given is None else {"input": given}), **_added(directives, "decide", decide),
            **_added(directives, "fail", fail), **_all_signals(directives, signal)}
    found = _simulated(read_object(file), told, also)
    show(found, as_json, simulation_page(found))
    if expect not in (None, found["outcome"]):
        raise CommandFailed(f"It was expected to end as {expect}, not as {found['outcome']}.")


def _added(directives: Mapping[str, Any], part: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a directive with what the options add to it; what is no object there is left to be refused."""
    known = directives.get(part, {})
    return {part: {**known, **said}} if said and isinstance(known, dict) else {}


def _all_signals(directives: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = directives.get("signals", [])
    return {"signals": [*known, *said]} if said and isinstance(known, list) else {}


def _simulated(template: Any, directives: Mapping[str, Any], also: Sequence[Path]) -> dict[str, Any]:
    """Return what the API would answer.

    Raises:
        Refused: the template or the directives break their rules.
    """
    logging.getLogger("workflow_service").addHandler(logging.NullHandler())  # the timeline tells it all
    templates, agents = TemplatesInMemory(), InMemoryAgentService()
    agents.set_available(False)  # no registry is known here: whatever the blocks name is an agent
    try:
        for path in also:
            Templates(templates, agents, SystemClock()).create(_USER, read_object(path))
        whole = {**directives, "template": template}
        found: dict[str, Any] = _plain(Simulations(templates, agents, limits=_LIMITS).simulate_given(_USER, whole))
        return found
    except InvalidTemplate as error:
        raise _refused(error, "template") from error
    except Invalid as error:
        raise _refused(error) from error
    except Conflict as error:
        raise CommandFailed(str(error)) from error


def _refused(error: Invalid, root: str = "") -> Refused:
    return Refused(422, str(error.args[0]), [
        Fault(path=issue.path.removeprefix(root).lstrip(".") or "(whole)", message=issue.message, allowed=issue.allowed)
        for issue in error.issues])


def _plain(value: Any) -> Any:
    """Return a view as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
