"""The embedded stack for a measurement: as ``make run`` starts it, with the settings of production."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.stack.directory import StackDirectory
from sandbox.stack.parts import Plan
from sandbox.stack.reporting import Reporter
from sandbox.stack.stack import running_stack
from sandbox.stack.stopping import StopRequests

Say = Callable[[str], None]
"""Takes a line about what goes on."""
_PRODUCTION = {"WEB_CONCURRENCY": "2", "WORKFLOW_LEASE_MS": "30000", "WORKFLOW_SWEEP_INTERVAL_MS": "5000"}
"""What the development stack sets otherwise, as it is by default."""
_NOT_TAKEN = ("PORT", "JWT_SECRET")


@dataclass(frozen=True, kw_only=True)
class RunningStack:
    """A stack that serves."""

    url: str
    secret: str
    """That signs tokens."""
    mongodb_url: str
    pids: Mapping[str, int]
    """The process of each part that goes on."""


class _TroubleOnly(Reporter):
    """Passes on what a person should see."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def progress(self, name: str, text: str) -> None:
        """Keep it for oneself."""

    def trouble(self, name: str, text: str) -> None:
        """Pass it on."""
        self._say(f"{name}: {text}")


@contextmanager
def measured_stack(folder: Path, say: Say) -> Iterator[RunningStack]:
    """Run a stack of its own, empty, from entry to exit.

    Args:
        folder: where it keeps everything.
        say: is told of trouble.
    """
    plans: list[Plan] = []

    def reporting(plan: Plan) -> Reporter:
        plans.append(plan)
        return _TroubleOnly(say)

    # no signals are taken over, so Ctrl-C ends the measurement and with it the stack
    with running_stack(folder, _environ(), None, StopRequests(), reporting):
        directory = StackDirectory.below(folder)
        record, secret = directory.record(), directory.secret()
        if record is None or secret is None:
            raise RuntimeError("The stack did not say where it is.")
        settings = next(part for part in plans[0].parts if part.name == "web").environment
        lasting = {part.name for part in plans[0].parts if not part.runs_once}
        yield RunningStack(url=record.url, secret=secret, mongodb_url=settings["MONGODB_URL"],
                           pids={name: pid for name, pid in record.pids.items() if name in lasting})


def _environ() -> dict[str, str]:
    """Return the person's environment without what would put other servers in the place of ours."""
    own = {name: value for name, value in os.environ.items() if not name.endswith("_URL") and name not in _NOT_TAKEN}
    return {**own, **_PRODUCTION}
