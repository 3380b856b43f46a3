"""Starts the parts in the order of their needs, starts again what dies, and ends all in the reverse order.

One thread and one loop: the kernel ties a child to the thread that started it, and a loop that looks at everything
twenty times a second is easier to trust than many that wait.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox.stack.child import Child
from sandbox.stack.directory import StackDirectory
from sandbox.stack.errors import PartFailed, StopRequested
from sandbox.stack.log_lines import last_lines
from sandbox.stack.part import Part
from sandbox.stack.reporting import STACK, Reporter
from sandbox.stack.stopping import StopRequests

POLL = timedelta(milliseconds=50)
_FIRST_DELAY = timedelta(milliseconds=500)
_LONGEST_DELAY = timedelta(seconds=15)
_STEADY_AFTER = timedelta(seconds=30)
"""A part that ran for so long is not counted as failing again and again."""
_TIDY_EVERY = timedelta(minutes=1)
_TAIL_LINES = 15


@dataclass(kw_only=True)
class _Run:
    """Where one part stands."""

    child: Child
    started: float
    """By the monotonic clock, in seconds."""
    is_ready: bool = False
    deaths: int = 0
    """How often it died lately."""
    again_at: float | None = None
    """When it is started again; None while it runs."""


class Supervisor:
    """Runs parts; its methods are called one after the other, from one thread."""

    def __init__(self, parts: Sequence[Part], directory: StackDirectory, environment: Mapping[str, str],
                 reporter: Reporter, stopping: StopRequests,
                 on_pids: Callable[[Mapping[str, int]], None] = lambda _: None) -> None:
        """Nothing is started yet.

        Args:
            parts: in any order.
            directory: where logs go and the parts work.
            environment: the variables of all parts.
            reporter: is told what happens.
            stopping: ends the start and shortens the end.
            on_pids: is told the processes of all parts whenever one is started.
        """
        self._parts = {part.name: part for part in parts}
        self._directory = directory
        self._environment = environment
        self._reporter = reporter
        self._stopping = stopping
        self._on_pids = on_pids
        self._runs: dict[str, _Run] = {}

    def start(self) -> None:
        """Start all parts and return when all are ready.

        Raises:
            PartFailed: one ended, or was not ready in time.
            StopRequested: somebody asked to stop meanwhile.
        """
        while not self._all_ready():
            if self._stopping.requested:
                raise StopRequested
            for part in self._parts.values():
                self._bring_up(part)
            time.sleep(POLL.total_seconds())

    def watch(self, until: Callable[[], bool]) -> None:
        """Start again what dies, until there is no more need or somebody asked to stop."""
        tidy_at = time.monotonic()
        while not (until() or self._stopping.requested):
            if time.monotonic() >= tidy_at:
                self._directory.shorten_logs()
                tidy_at += _TIDY_EVERY.total_seconds()
            for part in self._parts.values():
                if not part.runs_once:
                    self._keep_up(part, self._runs[part.name])
            time.sleep(POLL.total_seconds())

    def stop(self) -> None:
        """End all parts, those first that nobody needs; what does not end in its time is killed."""
        deadlines: dict[str, float] = {}
        killed: set[str] = set()
        while alive := [name for name, run in self._runs.items()
                        if name not in killed and run.child.exit_code() is None]:
            needed = {name for user in alive for name in self._parts[user].needs}
            for name in alive:
                if self._stopping.urgent or time.monotonic() > deadlines.get(name, float("inf")):
                    self._kill(name)
                    killed.add(name)
                elif name not in needed and name not in deadlines:
                    deadlines[name] = time.monotonic() + self._parts[name].stop_within.total_seconds()
                    self._runs[name].child.terminate()
            time.sleep(POLL.total_seconds())

    def _all_ready(self) -> bool:
        return all(name in self._runs and self._runs[name].is_ready for name in self._parts)

    def _bring_up(self, part: Part) -> None:
        """Take one part a step towards being ready."""
        run = self._runs.get(part.name)
        if run is None:
            if all(need in self._runs and self._runs[need].is_ready for need in part.needs):
                self._launch(part)
            return
        code = run.child.exit_code()
        if code is not None and not (part.runs_once and code == 0):
            raise self._failure(part, run, f"ended at its start ({how_it_ended(code)})")
        if not run.is_ready:
            self._look_whether_ready(part, run, code)

    def _look_whether_ready(self, part: Part, run: _Run, code: int | None) -> None:
        waited = timedelta(seconds=time.monotonic() - run.started)
        if code == 0 if part.runs_once else part.is_ready(run.child.written):
            run.is_ready = True
            self._reporter.progress(part.name, f"{'done' if part.runs_once else 'ready'} after "
                                               f"{waited.total_seconds():.1f} s")
        elif waited > part.ready_within:
            raise self._failure(part, run, f"was not ready within {part.ready_within.total_seconds():.0f} s")

    def _keep_up(self, part: Part, run: _Run) -> None:
        """Look after one part that runs, or is to run again."""
        now = time.monotonic()
        if run.again_at is not None:
            if now >= run.again_at:
                self._launch(part, run.deaths)
        elif (code := run.child.exit_code()) is not None:
            self._mourn(part, run, code)
        elif not run.is_ready and part.is_ready(run.child.written):
            run.is_ready = True
            self._reporter.trouble(part.name, f"ready again after {time.monotonic() - run.started:.1f} s")

    def _mourn(self, part: Part, run: _Run, code: int) -> None:
        """Plan the next start of a part that died: later each time it dies soon."""
        lived = timedelta(seconds=time.monotonic() - run.started)
        run.deaths = 1 if lived > _STEADY_AFTER else run.deaths + 1
        delay = min(_FIRST_DELAY * 2 ** (run.deaths - 1), _LONGEST_DELAY)
        run.again_at = time.monotonic() + delay.total_seconds()
        self._reporter.trouble(part.name, f"ended ({how_it_ended(code)}), starts again in "
                                          f"{delay.total_seconds():.1f} s; see {self._log(part)}")

    def _launch(self, part: Part, deaths: int = 0) -> None:
        child = Child(part.argv, {**self._environment, **part.environment}, self._directory.path, self._log(part))
        self._runs[part.name] = _Run(child=child, started=time.monotonic(), deaths=deaths)
        self._on_pids({name: run.child.pid for name, run in self._runs.items()})

    def _kill(self, name: str) -> None:
        self._reporter.trouble(STACK, f"{name} did not end in time and is killed")
        self._runs[name].child.kill()

    def _failure(self, part: Part, run: _Run, reason: str) -> PartFailed:
        return PartFailed(part.name, reason, self._log(part), last_lines(run.child.written(), _TAIL_LINES))

    def _log(self, part: Part) -> Path:
        return self._directory.log(part.name)


def how_it_ended(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
