"""What can go wrong on the command line; each is one clear message and exit code 1, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

import click


class CommandFailed(click.ClickException):
    """Root: a command could not do what it was asked for."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message where errors go."""
        click.secho(f"Error: {self.format_message()}", file=file, err=file is None, fg="red")


class Unreachable(CommandFailed):
    """Raised when the service does not answer."""

    def __init__(self, url: str, reason: str) -> None:
        """Name the address that was tried."""
        super().__init__(f"The workflow service at {url} {reason}. Is it running? (workflow-service dev starts one)")


class NotTheService(CommandFailed):
    """Raised when something else than the workflow service answers."""

    def __init__(self, url: str) -> None:
        """Name the address that was asked."""
        super().__init__(f"What answers at {url} is not the workflow service.")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that was wrong with a request."""

    path: str
    message: str
    allowed: Sequence[str] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        hint = f" (allowed: {', '.join(self.allowed)})" if self.allowed else ""
        return f"{self.path}: {self.message}{hint}"


class Refused(CommandFailed):
    """Raised when the service refuses a request; names every fault by its path."""

    def __init__(self, status: int, message: str, faults: Sequence[Fault] = (), request_id: str = "") -> None:
        """Keep what the service said."""
        super().__init__(message)
        self.status = status
        self.faults = tuple(faults)
        self.request_id = request_id

    @classmethod
    def of(cls, status: int, answer: Mapping[str, Any]) -> Refused:
        """Read the error answer of the API."""
        faults = [Fault(path=path, message=str(fault.get("message")), allowed=tuple(fault.get("allowed") or ()))
                  for path, found in (answer.get("errors") or {}).items() for fault in found]
        message = str(answer.get("message") or answer.get("status") or f"The service answered {status}.")
        return cls(status, message, faults, str(answer.get("requestId") or ""))

    def format_message(self) -> str:
        """Return the message, each fault on a line of its own, and for our own faults the id to ask for."""
        lines = [self.message, *(f"  {fault}" for fault in self.faults)]
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and self.request_id:
            lines.append(f"  request id: {self.request_id}")
        return "\n".join(lines)
