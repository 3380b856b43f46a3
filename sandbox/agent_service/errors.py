"""Every failure that a caller of the Agent Service can see, with its HTTP status and its failure class."""

from __future__ import annotations

from typing import Any, Literal

FailureClass = Literal["transient", "agent", "configuration", "critical"]
"""What helps: wait and retry, another agent, a changed request, or nothing."""

_STATUS_OF_CLASS: dict[str, int] = {"transient": 503, "agent": 502, "configuration": 400, "critical": 500}


class AgentServiceError(Exception):
    """Root of the failures that are answered to the caller."""

    code = "internal_error"
    failure_class: FailureClass = "transient"
    status = 500

    def __init__(self, message: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_ms = retry_after_ms

    def body(self) -> dict[str, Any]:
        """Return the error as the JSON object of the contract."""
        body: dict[str, Any] = {"code": self.code, "class": self.failure_class, "message": self.message}
        if self.retry_after_ms is not None:
            body["retryAfterMs"] = self.retry_after_ms
        return body


class RegistryError(Exception):
    """Raised when the registry file cannot be used; the message names the agent and the field."""


class InvalidRequest(AgentServiceError):
    """Raised when a request is not what the contract describes."""

    code, failure_class, status = "invalid_request", "configuration", 400


class InvalidInput(AgentServiceError):
    """Raised when the input does not fit the agent's input schema."""

    code, failure_class, status = "invalid_input", "configuration", 400


class ToolTypeNotOffered(AgentServiceError):
    """Raised when an agent is asked for a tool type that it does not have."""

    code, failure_class, status = "tool_type_not_offered", "configuration", 400


class AgentNotFound(AgentServiceError):
    """Raised when no agent has the id."""

    code, failure_class, status = "agent_not_found", "agent", 404


class AgentUnavailable(AgentServiceError):
    """Raised when new work is given to an agent that is out of service."""

    code, failure_class, status = "agent_unavailable", "agent", 503


class ExecutionNotFound(AgentServiceError):
    """Raised when an agent knows nothing under a key."""

    code, failure_class, status = "execution_not_found", "configuration", 404


class IdempotencyConflict(AgentServiceError):
    """Raised when a key is used again with another body."""

    code, failure_class, status = "idempotency_conflict", "configuration", 422


class Cancelled(AgentServiceError):
    """Raised when the key was cancelled, before, during or instead of its work."""

    code, failure_class, status = "cancelled", "critical", 409


class TimedOut(AgentServiceError):
    """Raised when the work takes longer than its time limit."""

    code, failure_class, status = "timed_out", "transient", 504


class WorkFailed(AgentServiceError):
    """Raised when an agent's own work fails; code, class and HTTP status are the agent's."""

    def __init__(self, code: str, failure_class: FailureClass, message: str, *,
                 status: int | None = None, retry_after_ms: int | None = None) -> None:
        super().__init__(message, retry_after_ms=retry_after_ms)
        self.code = code
        self.failure_class = failure_class
        self.status = status or _STATUS_OF_CLASS[failure_class]
