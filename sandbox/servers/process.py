"""A server process that we started: start, wait until it is ready, kill, restart, stop.

It is only ever reached by the id of the process, or of the process group, that was started here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.servers.errors import ServerDidNotStart

_POLL = timedelta(milliseconds=20)
_LOG_TAIL = 2000
_WHOLE_GROUP = frozenset({signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT})
"""Signals that a process can't pass on to its children, so they go to all of its group."""


@dataclass(frozen=True, kw_only=True)
class ServerCommand:
    """How to start a server and how to know that it is ready."""

    name: str
    """For messages."""
    argv: Sequence[str]
    log: Path
    """Where its output goes, appended; its directory must exist."""
    is_ready: Callable[[], bool]
    """Says whether the server serves; must not take long, nor raise."""
    environment: Mapping[str, str]
    """Variables beside those of this process."""
    ready_within: timedelta = timedelta(seconds=30)
    stop_within: timedelta = timedelta(seconds=10)
    """How long it may take to end by itself before it is killed."""


class ServerProcess:
    """Supervises one server in a session of its own; as a context manager it runs from entry to exit."""

    def __init__(self, command: ServerCommand) -> None:
        """Take the command; nothing is started yet."""
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process that was started last.

        Raises:
            RuntimeError: none was started.
        """
        if self._process is None:
            raise RuntimeError(f"{self._command.name} was never started.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True from the start until the process ended."""
        return self._process is not None and self._exit_code() is None

    def start(self) -> None:
        """Start the server and return when it is ready.

        Raises:
            RuntimeError: it is running already.
            ServerDidNotStart: it ended, or was not ready in time and was stopped, or somebody else's server
                answers in its place.
        """
        if self.is_running:
            raise RuntimeError(f"{self._command.name} is running already.")
        if self._command.is_ready():
            raise self._did_not_start("another server answers at its address")
        with self._command.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(self._command.argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **self._command.environment}, start_new_session=True)
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Return when the server serves.

        Raises:
            ServerDidNotStart: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + self._command.ready_within.total_seconds()
        while not self._command.is_ready():
            if not self.is_running:
                raise self._did_not_start(f"it ended with exit code {self._exit_code()}")
            if time.monotonic() > deadline:
                raise self._did_not_start(f"it was not ready within {self._command.ready_within}")
            time.sleep(_POLL.total_seconds())

    def logs(self) -> str:
        """Return all that the server has written, over all its starts."""
        if not self._command.log.exists():
            return ""
        return self._command.log.read_text(encoding="utf-8", errors="replace")

    def kill(self, sent: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL return only when the process is gone.

        SIGKILL, SIGSTOP and SIGCONT go to the whole process group, all others to the process. A process that
        has ended gets none.
        """
        if self._process is None or not self.is_running:
            return
        if sent in _WHOLE_GROUP:
            _signal_group(self._process.pid, sent)
        else:
            self._process.send_signal(sent)
        if sent is signal.SIGKILL:
            self._wait(self._command.stop_within)

    def stop(self) -> None:
        """End the server: ask it, wait a bounded time, then kill it with all that it started."""
        # a process that was frozen could not hear the request
        self.kill(signal.SIGCONT)
        self.kill(signal.SIGTERM)
        if not self._wait(self._command.stop_within):
            self.kill(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server if it is running, start it again and return when it is ready."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()

    def _wait(self, patience: timedelta) -> bool:
        """Say whether the process ended within that time."""
        deadline = time.monotonic() + patience.total_seconds()
        while self.is_running:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL.total_seconds())
        return True

    def _exit_code(self) -> int | None:
        process = self._process
        if process is None or process.returncode is not None:
            return None if process is None else process.returncode
        if process.poll() is not None:
            # only at this moment, when the system can't have given the id to anybody else yet
            _signal_group(process.pid, signal.SIGKILL)
        return process.returncode

    def _did_not_start(self, reason: str) -> ServerDidNotStart:
        return ServerDidNotStart(self._command.name, reason, self.logs()[-_LOG_TAIL:])


def _signal_group(leader: int, sent: signal.Signals) -> None:
    try:
        os.killpg(leader, sent)
    except ProcessLookupError:
        pass  # nobody of the group is left


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server that serves."""

    url: str
    process: ServerProcess
