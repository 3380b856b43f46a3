"""Commands, which ask for one thing in the imperative, and the filters of questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from workflow_service.domain.attributes import Attributes
from workflow_service.domain.paging import Place
from workflow_service.domain.statuses import ExecutionStatus
from workflow_service.domain.template_status import TemplateStatus


class ClockRule(StrEnum):
    """What becomes of deadlines while something is held."""

    STOP = "stop"
    RUN = "run"


class CancelMode(StrEnum):
    """What becomes of blocks that are at work when their execution is cancelled."""

    GRACEFUL = "graceful"
    """They may end."""
    FORCE = "force"
    """Their agents are told to stop, and whatever they answer later counts for nothing."""


class HoldScope(StrEnum):
    """What a standing hold is for."""

    SERVICE = "service"
    WORKSPACE = "workspace"
    TEMPLATE = "template"
    AGENT = "agent"


ORIGINAL = "original"
"""The template version that an execution has."""
LATEST = "latest"
"""The version of its template that is the latest now."""


@dataclass(frozen=True, kw_only=True)
class StartExecution:
    """Run a template."""

    template_id: str
    workspace_id: str
    version: str | None = None
    """None for the latest."""
    input: Mapping[str, Any] = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)
    """What the execution can be found by, in the words of who starts it."""
    idempotency_key: str | None = None
    """The same key starts one execution in a workspace, however often it is sent; None for no such promise."""


@dataclass(frozen=True, kw_only=True)
class SendSignal:
    """Tell an execution something under a name."""

    execution_id: str
    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    """The same key sends one signal to an execution, however often it is sent; None for no such promise."""


@dataclass(frozen=True, kw_only=True)
class RespondToApproval:
    """Answer a request."""

    approval_id: str
    approved: bool
    response: Mapping[str, Any] = field(default_factory=dict)
    comments: str | None = None


@dataclass(frozen=True, kw_only=True)
class PauseExecution:
    """Let nothing of an execution start until it is resumed."""

    execution_id: str
    clock: ClockRule = ClockRule.STOP
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CancelExecution:
    """End an execution."""

    execution_id: str
    mode: CancelMode = CancelMode.GRACEFUL
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RestartExecution:
    """Run a part of an execution, or all of it, again.

    Without ``from_block`` what failed, was rejected or was cancelled runs again, with ``reset_state`` all of it.
    """

    execution_id: str
    from_block: str | None = None
    failed_only: bool = False
    """Say in so many words that only what failed is to run again; not together with ``from_block``."""
    reset_state: bool = False
    """Forget what was kept of the first run: its snapshot of the shared context and, without ``from_block``, all
    results."""
    input_patch: Mapping[str, Any] | None = None
    """A JSON merge patch (RFC 7396) of the execution's input; None to leave it."""
    definition: str = ORIGINAL
    """``original``, ``latest``, or a version of the template."""
    dry_run: bool = False
    """Say what would happen, and change nothing."""


@dataclass(frozen=True, kw_only=True)
class SkipBlock:
    """Go on after a block that failed or does not end, with this output instead of its own."""

    execution_id: str
    block_id: str
    output: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CancelBlock:
    """Go on without a block that has not ended."""

    execution_id: str
    block_id: str
    region: bool = False
    """And without all that can be reached through it alone."""
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RetryBlock:
    """Make the next attempt of a block that waits for it now."""

    execution_id: str
    block_id: str


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    """Let nothing start that belongs to a template, an agent, the workspace, or to anybody."""

    scope: HoldScope
    target: str | None = None
    """The id of the template or agent; None for the other scopes."""
    clock: ClockRule | None = None
    """None for what is usual: it stops with whole executions, and runs on when only an agent is held."""
    reason: str | None = None


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
    """Which templates: those that all of this is true of."""

    category: str | None = None
    tags: tuple[str, ...] = ()
    """All of which a template must have."""
    search: str | None = None
    """Text found in name or description, whatever the case."""
    status: TemplateStatus | None = None
    """Of the latest version; None for all that are neither archived nor deleted."""
    after: Place | None = None
    """Behind this place of the list; None for all of it."""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class ExecutionFilter:
    """Which executions: those that all of this is true of."""

    statuses: tuple[ExecutionStatus, ...] = ()
    """One of these; none for any."""
    template_id: str | None = None
    parent_id: str | None = None
    """Those right below this execution; None for those that are a part of no other."""
    tag: str | None = None
    """One that the template had when the execution was started."""
    created_by: str | None = None
    error_code: str | None = None
    """Why it failed."""
    attributes: tuple[str, ...] = ()
    """Terms (``domain.attributes``), all of which it must have."""
    started_after: datetime | None = None
    """Started then or later."""
    started_before: datetime | None = None
    """Started earlier than that."""
    ended_after: datetime | None = None
    """Ended then or later."""
    ended_before: datetime | None = None
    """Ended earlier than that."""
    after: Place | None = None
    """Behind this place of the list; None for all of it."""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class ApprovalFilter:
    """Which pending approvals."""

    execution_id: str | None = None
    block_id: str | None = None
    type: str | None = None
    limit: int = 100
