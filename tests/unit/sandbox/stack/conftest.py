"""A supervisor of small programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.stack.directory import StackDirectory
from sandbox.stack.part import Part
from sandbox.stack.probes import says
from sandbox.stack.stopping import StopRequests
from sandbox.stack.supervisor import Supervisor

Supervise = Callable[[Sequence[Part]], Supervisor]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
"""A program that does not end when it is asked."""


class Notes:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        """Nothing was told."""
        self.lines: list[tuple[str, str]] = []
        self.troubles: list[tuple[str, str]] = []

    def progress(self, name: str, text: str) -> None:
        """Keep it."""
        self.lines.append((name, text))

    def trouble(self, name: str, text: str) -> None:
        """Keep it."""
        self.troubles.append((name, text))


def server(name: str, *needs: str, before: str = "", **changed: object) -> Part:
    """Return a part that says that it is up and then waits.

    Args:
        before: what it runs first.
    """
    program = f"{before}\nimport time\nprint('up', flush=True)\ntime.sleep(120)"
    settings = {"argv": [sys.executable, "-c", program], "is_ready": says("up"), "needs": frozenset(needs), **changed}
    return Part(name=name, **settings)  # type: ignore[arg-type]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[StackDirectory]:
    """The directory of a stack, held."""
    directory = StackDirectory.below(tmp_path)
    with directory.held():
        yield directory


@pytest.fixture
def notes() -> Notes:
    """What the supervisor tells."""
    return Notes()


@pytest.fixture
def stopping() -> Iterator[StopRequests]:
    """The signals of this process, taken over."""
    with StopRequests() as requests:
        yield requests


@pytest.fixture
def pids() -> dict[str, int]:
    """The present process of each part."""
    return {}


@pytest.fixture
def supervise(directory: StackDirectory, notes: Notes, stopping: StopRequests,
              pids: dict[str, int]) -> Iterator[Supervise]:
    """Makes supervisors, which are stopped at the end of the test."""
    with ExitStack() as ends:
        def make(parts: Sequence[Part]) -> Supervisor:
            supervisor = Supervisor(parts, directory, dict(os.environ), notes, stopping, pids.update)
            ends.callback(supervisor.stop)
            return supervisor

        yield make
