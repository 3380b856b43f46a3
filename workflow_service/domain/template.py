"""The workflow template: a versioned description of blocks and their order.

The field names of the documents are the customer's (camelCase); what each one means is said at the field here and in
``docs/templates.md``. Durations in documents are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from workflow_service.domain.flow import (
    BlockKind,
    End,
    FailurePolicy,
    JoinPolicy,
    Loop,
    Map,
    Mutex,
    SignalWait,
    SubWorkflow,
    Timer,
)
from workflow_service.domain.routing import USUAL_PRIORITY, USUAL_QUEUE, Route

Document = Mapping[str, Any]


class ConditionType(StrEnum):
    """How a block's conditions are used."""

    GUARD = "guard"
    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


class SideEffects(StrEnum):
    """What a second run of the block's agent would do to the world outside."""

    NONE = "none"
    IDEMPOTENT = "idempotent"
    UNSAFE = "unsafe"


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One way on from a branching block."""

    next_blocks: tuple[str, ...]
    """The blocks that run if this branch is taken; naming one implies the edge to it."""
    condition: str | None = None
    """CEL over ``input``, ``context``, ``blocks``, ``output`` and ``value``; None for the default branch."""
    is_default: bool = False
    """Taken when no condition of an exclusive choice is true."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """When a block runs (guard), or which branches are taken after it (exclusive, inclusive)."""

    type: ConditionType
    expression: str | None = None
    """CEL. Of a guard: the block is skipped unless true. Of a choice: what its conditions know as ``value``."""
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HumanInLoop:
    """The person who is asked before the block's agent runs."""

    required: bool = False
    type: str = "approval"
    """``approval``: yes or no; ``edit`` and ``input``: the response is laid over the block's input."""
    approval_level: str = "approver"
    """The role that may respond."""
    input_schema: Document = field(default_factory=dict)
    """JSON Schema of the response, shown as a form; empty for none."""
    timeout: timedelta | None = None
    """How long until the request is escalated; None for the service's default."""
    escalate_to: str = "admin"
    """The role that an overdue request is given to."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how fast a block is tried again after a failure."""

    max_retries: int = 3
    backoff_strategy: str = "exponential"
    """``fixed``, ``linear``, ``exponential`` or ``jittered``."""
    retry_conditions: tuple[str, ...] = ("transient",)
    """Error codes or error classes that are worth another try."""
    initial_delay: timedelta = timedelta(seconds=1)
    max_delay: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One unit of work in a template, done by one agent, or by what is said instead of one."""

    block_id: str
    agent_id: str | None = None
    """None unless an agent does it."""
    tool_type: str = ""
    """How the agent works; empty unless an agent does it."""
    name: str = ""
    description: str = ""
    agent_type: str | None = None
    """The declared type that the agent, and any replacement of it, must have; None for any."""
    configuration: Document = field(default_factory=dict)
    """The agent's input; strings in it may hold ``${CEL}``."""
    dependencies: tuple[str, ...] = ()
    conditions: Conditions | None = None
    human_in_loop: HumanInLoop = HumanInLoop()
    retry_policy: RetryPolicy = RetryPolicy()
    timeout: timedelta | None = None
    """For one attempt, not counting the time parked for a person; None for the agent service's time-out."""
    side_effects: SideEffects = SideEffects.UNSAFE
    estimated_duration: timedelta | None = None
    """The author's guess of how long it takes; None if there is none."""
    map: Map | None = None
    loop: Loop | None = None
    workflow: SubWorkflow | None = None
    wait: Timer | None = None
    wait_for: SignalWait | None = None
    end: End | None = None
    join_policy: JoinPolicy = JoinPolicy()
    on_failure: FailurePolicy = FailurePolicy()
    mutex: Mutex | None = None
    queue: str | None = None
    """The queue of workers that does it; None for the usual one."""
    priority: int | None = None
    """From 0 to 9, what is higher goes first; None for the usual one."""

    @property
    def has_children(self) -> bool:
        """True when its work is done by executions of their own."""
        return self.map is not None or self.loop is not None or self.workflow is not None

    @property
    def route(self) -> Route:
        """The way to its workers."""
        return Route(queue=self.queue or USUAL_QUEUE,
                     priority=USUAL_PRIORITY if self.priority is None else self.priority)

    @property
    def kind(self) -> BlockKind:
        """Who or what does it."""
        instead = {BlockKind.WORKFLOW: self.workflow, BlockKind.WAIT: self.wait, BlockKind.WAIT_FOR: self.wait_for,
                   BlockKind.END: self.end}
        return next((kind for kind, said in instead.items() if said is not None), BlockKind.AGENT)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template with defaults filled in; ``document`` is what the author wrote."""

    template_id: str
    name: str
    version: str
    blocks: tuple[Block, ...]
    document: Document
    timeout: timedelta | None = None
    """For the whole execution, not counting the time when all of it is parked; None for the service's default."""
    max_parallel_blocks: int | None = None
    """How many blocks of one execution may run at once; None for the service's default."""
    input_schema: Document = field(default_factory=dict)
    """JSON Schema of the input that an execution is started with; empty for any."""
    output: Document | None = None
    """What an execution gives; strings in it may hold ``${CEL}``. None for the outputs of its last blocks, by id."""

    def block(self, block_id: str) -> Block:
        """Return one block (KeyError for an unknown id)."""
        return {block.block_id: block for block in self.blocks}[block_id]
