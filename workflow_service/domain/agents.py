"""Agents as the engine sees them: what they can do, a call of one, its answer and its failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class FailureClass(StrEnum):
    """What kind of failure it was, and so what helps against it."""

    TRANSIENT = "transient"
    AGENT = "agent"
    CONFIGURATION = "configuration"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt failed."""

    code: str
    failure_class: FailureClass
    message: str
    retry_after: timedelta | None = None
    """How long the agent asks us to wait; None if it does not say."""

    def to_document(self) -> dict[str, Any]:
        """Return the failure as JSON."""
        document: dict[str, Any] = {"code": self.code, "class": self.failure_class.value, "message": self.message}
        if self.retry_after is not None:
            document["retryAfterMs"] = self.retry_after // timedelta(milliseconds=1)
        return document


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An entry of the Agent Service's registry."""

    agent_id: str
    name: str
    type: str
    tool_types: tuple[str, ...]
    capabilities: tuple[str, ...] = ()
    status: str = "available"
    input_schema: Mapping[str, Any] = field(default_factory=dict)
    output_schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AgentCall:
    """One request to an agent to do a block."""

    agent_id: str
    idempotency_key: str
    workspace_id: str
    execution_id: str
    block_id: str
    tool_type: str
    input: Mapping[str, Any]
    timeout: timedelta


@dataclass(frozen=True, kw_only=True)
class Completed:
    """The agent did the work."""

    output: Mapping[str, Any]
    usage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The agent took the work and goes on with it alone; ask again later."""

    ask_again_after: timedelta


AgentAnswer = Completed | Accepted | Failure
"""What a call, or asking for its result, can give."""
