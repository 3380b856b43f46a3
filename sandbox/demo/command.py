"""``workflow-service demo``: starts what is needed, runs the main job, shows it, and stops what it started."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.text import Text

from cli.connection import find_secret
from cli.errors import CommandFailed
from cli.local import StackRecord
from cli.terminal import console
from sandbox.demo.closing import show_end
from sandbox.demo.errors import DemoFailed
from sandbox.demo.gate import answered_by_demo, answered_by_person
from sandbox.demo.people import People
from sandbox.demo.repository import find_repository
from sandbox.demo.review import import_template, start, watch
from sandbox.demo.starting import StartDisplay
from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import StackError
from sandbox.stack.probes import answers
from sandbox.stack.stack import running_stack
from sandbox.stack.stopping import StopRequests

_PATIENCE_S = 120
_START_PATIENCE_S = 60
_POLL_S = 0.1
_PATIENCE_WITH_A_PERSON_S = 3600


@click.command()
@click.option("--repo", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path(),
              help="The git repository to review; the one of this directory if none is named.")
@click.option("--interactive", is_flag=True, help="Wait for you to approve, and tell how.")
@click.option("--timeout", "patience_s", type=click.IntRange(1), help="Seconds after which to give up.")
@click.option("--port", type=click.IntRange(1, 65535), envvar="PORT", show_envvar=True,
              help="Port of the API; a free one if none is named.")
def demo(repo: Path, interactive: bool, patience_s: int | None, port: int | None) -> None:
    """Review a git repository with agents and write its release notes, approved by a person.

    Starts the development stack and stops it at the end; one that runs in this directory already is used and left.
    """
    screen = console()
    repository = find_repository(repo)
    patience = timedelta(seconds=patience_s or (_PATIENCE_WITH_A_PERSON_S if interactive else _PATIENCE_S))
    screen.print(Text.assemble(("Review    ", "bold"), str(repository)), soft_wrap=True)
    directory = StackDirectory.below(Path.cwd())
    with StopRequests() as stopping:
        record = directory.record()
        if record is not None:
            _wait_until_ready(record, stopping)
            _review(record, repository, interactive, patience, screen, stopping)
        else:
            _with_own_stack(directory, port, repository, interactive, patience, screen, stopping)
    screen.print(Text("The demo ended well.", style="bold green"))


def _with_own_stack(directory: StackDirectory, port: int | None, repository: Path, interactive: bool,
                    patience: timedelta, screen: Console, stopping: StopRequests) -> None:
    """Run the review beside a stack of its own; the main thread looks after the stack, another one reviews."""
    try:
        with (StartDisplay(screen, directory) as shown,
              running_stack(Path.cwd(), os.environ, port, stopping,
                            lambda plan: shown.expecting(part.name for part in plan.parts)) as stack,
              ThreadPoolExecutor(max_workers=1) as threads):
            record = _recorded(directory)
            shown.ready(record.url, record.flower_url)
            review = threads.submit(_review, record, repository, interactive, patience, screen, stopping)
            stack.watch(until=review.done)
            review.result()
    except StackError as error:
        raise DemoFailed(str(error)) from error


def _review(record: StackRecord, repository: Path, interactive: bool, patience: timedelta, screen: Console,
            stopping: StopRequests) -> None:
    """Do the main job on a stack that runs."""
    people = People.at(record.url, find_secret(os.environ, Path.cwd()))
    try:
        template = import_template(people, screen)
        execution_id = start(people, template, repository, record.agent_service_url, screen)
        gate = (answered_by_person if interactive else answered_by_demo)(people.approver, screen)
        execution = watch(people, template, execution_id, gate, patience, screen, lambda: stopping.requested)
        show_end(execution, screen)
    finally:
        people.close()


def _wait_until_ready(record: StackRecord, stopping: StopRequests) -> None:
    """Return when a stack that somebody else has started serves."""
    is_ready = answers(urlsplit(record.url).port or 0, "/ready")
    deadline = time.monotonic() + _START_PATIENCE_S
    while not is_ready(lambda: ""):
        if stopping.requested or time.monotonic() > deadline:
            raise DemoFailed(f"The stack that runs in this directory (process {record.pid}) does not get ready.")
        time.sleep(_POLL_S)


def _recorded(directory: StackDirectory) -> StackRecord:
    record = directory.record()
    if record is None:
        raise CommandFailed(f"The record of the stack in {directory.path} was taken away while it ran.")
    return record
