"""What can keep the development stack from running; each message says it in a line that a person can act on."""

from __future__ import annotations

from pathlib import Path


class StackError(Exception):
    """Root of the errors about the development stack."""


class PortInUse(StackError):
    """Raised when the port of the API is taken."""

    def __init__(self, port: int) -> None:
        """Name the port."""
        super().__init__(f"Port {port} is in use by another program. Choose another one, for example: "
                         f"PORT={port + 1 if port < 65535 else port - 1} make run")


class AlreadyRunning(StackError):
    """Raised when a stack runs in this directory already."""

    def __init__(self, directory: Path) -> None:
        """Name the directory."""
        super().__init__(f"A development stack runs in {directory} already; end it first (Ctrl-C where it runs).")


class NotWritable(StackError):
    """Raised when the stack can't keep its files."""

    def __init__(self, directory: Path, reason: str) -> None:
        """Name the directory and what the system said."""
        super().__init__(f"{directory} can't be used: {reason}.")


class PartFailed(StackError):
    """Raised when a part ended or was not ready in time; shows the end of its log."""

    def __init__(self, name: str, reason: str, log: Path, tail: str) -> None:
        """Keep what a person needs to find the cause."""
        super().__init__(f"{name} {reason}. The end of {log}:\n{tail or '(empty)'}")
        self.name = name


class StopRequested(StackError):
    """Raised when somebody asked to stop while the stack was still starting."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Stopped before everything had started.")
