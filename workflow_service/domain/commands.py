"""Commands, which ask for one thing in the imperative, and the filters of questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow_service.domain.statuses import ExecutionStatus


@dataclass(frozen=True, kw_only=True)
class StartExecution:
    """Run a template."""

    template_id: str
    workspace_id: str
    version: str | None = None
    """None for the latest."""
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RespondToApproval:
    """Answer a request."""

    approval_id: str
    approved: bool
    response: Mapping[str, Any] = field(default_factory=dict)
    comments: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunBlock:
    """Go on with a block, if that is allowed and nobody does it already. This is all that a message says."""

    workspace_id: str
    execution_id: str
    block_id: str
    epoch: int
    brings: str | None = None
    """The block that the canvas sends by itself after this task; it needs no dispatch of ours."""


@dataclass(frozen=True, kw_only=True)
class TemplateFilter:
    """Which templates."""

    category: str | None = None
    tags: tuple[str, ...] = ()
    search: str | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class ExecutionFilter:
    """Which executions."""

    status: ExecutionStatus | None = None
    template_id: str | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class ApprovalFilter:
    """Which pending approvals."""

    execution_id: str | None = None
    block_id: str | None = None
    type: str | None = None
    limit: int = 100
