"""The main job: a template is imported, run, approved by a person, and comes to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.text import Text

from cli.displays import display
from cli.errors import Refused
from cli.following import TookTooLong, follow
from cli.views.executions import note, steps_of
from sandbox.demo.errors import DemoFailed
from sandbox.demo.gate import Gate
from sandbox.demo.people import People

Document = Mapping[str, Any]
OUTPUT_DIRECTORY = "release-review"
"""Where the notes go, in the workspace of the agents."""
_INTERVAL = timedelta(milliseconds=250)
_UNFINISHED = ("completed", "skipped", "cancelled", "pending")


def import_template(people: People, screen: Console) -> Document:
    """Store the template of the demo, unless it is there already, and return it."""
    text = resources.files("sandbox.templates").joinpath("release-review.yaml").read_text(encoding="utf-8")
    template: Document = yaml.safe_load(text)
    name = f"{template['templateId']} {template['version']}"
    try:
        people.designer.import_template(template)
        told = f"imported with {len(template['blocks'])} blocks"
    except Refused as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        told = "is there already"
    screen.print(Text.assemble(("Template  ", "bold"), f"{name} {told}"))
    return template


def start(people: People, template: Document, repository: Path, agent_service_url: str, screen: Console) -> str:
    """Start the review of a repository and return the id of the execution."""
    execution_id = people.operator.start(template["templateId"], {
        "repository": str(repository), "policyUrl": f"{agent_service_url}/reference/release-policy",
        "outputDirectory": OUTPUT_DIRECTORY})["executionId"]
    screen.print(Text.assemble(("Execution ", "bold"), f"{execution_id} started by otto, an operator\n"))
    return str(execution_id)


def watch(people: People, template: Document, execution_id: str, gate: Gate, patience: timedelta, screen: Console,
          stopped: Callable[[], bool]) -> Document:
    """Show an execution until it has ended, and return it.

    Raises:
        DemoFailed: it did not complete, took too long, or somebody stopped the demo.
    """

    def read() -> Document:
        if stopped():
            raise DemoFailed("The demo was stopped.")
        return people.operator.execution(execution_id)

    execution: Document = {}
    try:
        with display(screen, steps_of(template)) as shown:
            for execution in follow(read, patience, _INTERVAL):
                shown.update(execution)
                gate.look(execution)
    except TookTooLong as error:
        raise DemoFailed(f"The demo took more than {patience.total_seconds():.0f} s; "
                         f"not ended: {_unfinished(execution)}.") from error
    if execution["status"] != "completed":
        raise DemoFailed(_reason(execution))
    return execution


def _reason(execution: Document) -> str:
    failures = [f"{block['blockId']} {block['status']} ({note(block)})" for block in execution["blockExecutions"]
                if block["status"] in ("failed", "rejected")]
    return f"The execution is {execution['status']}: {'; '.join(failures) or 'no block says why'}."


def _unfinished(execution: Document) -> str:
    return ", ".join(f"{block['blockId']} ({block['status']})" for block in execution.get("blockExecutions", ())
                     if block["status"] not in _UNFINISHED) or "no block goes on"
