"""A process that the supervisor started: in a session of its own, its output in a file, ended by its id alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")
_GONE_WITHIN_S = 5


class Child:
    """One run of a program. Start it in a thread that lives as long as it: the kernel ties the two together."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        """Start the program.

        Args:
            argv: the program by its whole path, and its arguments.
            environment: all its variables.
            folder: where it works.
            log: where its output is appended.
        """
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *argv], stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, env=dict(environment), cwd=folder, start_new_session=True)

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return how it ended, below zero for a signal; None while it runs. Whom it left behind ends with it."""
        if self._process.returncode is None and self._process.poll() is not None:
            # only at this moment, when the system can't have given the id to anybody else yet
            self._signal_group(signal.SIGKILL)
        return self._process.returncode

    def written(self) -> str:
        """Return what it has written."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._log_start)
                return file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def terminate(self) -> None:
        """Ask it to end."""
        if self.exit_code() is None:
            # a process that was frozen could not hear the request
            self._signal_group(signal.SIGCONT)
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, with all that it started; return when it is gone, or in vain after a while."""
        if self.exit_code() is None:
            self._signal_group(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # the system itself holds it, such as for a disk that hangs
                self._process.wait(_GONE_WITHIN_S)

    def _signal_group(self, sent: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # nobody of the group is left
            os.killpg(self._process.pid, sent)
