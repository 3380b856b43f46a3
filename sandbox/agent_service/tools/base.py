"""What a tool is given and what it gives back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.agent_service.agents import Agent
from sandbox.agent_service.cancellation import Cancellation
from sandbox.agent_service.errors import TimedOut
from sandbox.agent_service.execution_request import ExecutionRequest


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One run of an agent's work."""

    agent: Agent
    request: ExecutionRequest
    deadline: float
    """When the work must have ended, by ``time.monotonic()``."""
    cancellation: Cancellation
    earlier_failures: Callable[[], int]
    """Counts the failed runs under the same key."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The registry's configuration of the tool."""
        return self.agent.tools.get(self.request.tool_type, {})

    def values(self) -> dict[str, Any]:
        """Return what placeholders may name: the input's fields, and ``call`` for the call itself."""
        request = self.request
        return {**request.input, "call": {
            "executionId": request.execution_id, "blockId": request.block_id,
            "workspaceId": request.workspace_id, "idempotencyKey": request.key}}

    def seconds_left(self) -> float:
        """Return the time until the deadline.

        Raises:
            TimedOut: none is left.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.timed_out()
        return left

    def timed_out(self) -> TimedOut:
        """Return the error of work that took too long."""
        return TimedOut(f"Agent '{self.agent.agent_id}' did not finish within its time limit.")


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """What the work gave."""

    output: Mapping[str, Any]
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Measures beside the duration, such as tokens."""


class Tool(Protocol):
    """Does the work of agents.

    ``run`` obeys ``call.deadline`` and ``call.cancellation`` as well as it can, and raises ``AgentServiceError`` for
    every failure that the caller should be told about; any other exception is answered as ``agent_failed``.
    """

    def run(self, call: ToolCall) -> ToolResult:
        """Do the work once."""
        ...
