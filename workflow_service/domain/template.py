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
    """One unit of work in a template, done by one agent."""

    block_id: str
    agent_id: str
    tool_type: str
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

    def block(self, block_id: str) -> Block:
        """Return one block (KeyError for an unknown id)."""
        return {block.block_id: block for block in self.blocks}[block_id]


def parse_template(document: Document, usual: RetryPolicy = RetryPolicy()) -> Template:
    """Turn a template document whose structure was checked into values, with the defaults of ``globalSettings``.

    Args:
        document: follows ``template_schema.TEMPLATE_SCHEMA``.
        usual: the retry policy of blocks whose template says nothing of it.
    """
    settings = document.get("globalSettings") or {}
    defaults = {"retryPolicy": settings.get("defaultRetryPolicy") or {},
                "humanInLoop": settings.get("humanInLoopDefaults") or {}}
    return Template(
        template_id=document["templateId"], name=document["name"], version=document["version"],
        blocks=tuple(_block(block, defaults, usual) for block in document["blocks"]), document=document,
        timeout=_milliseconds(settings.get("timeout")),
        max_parallel_blocks=int(settings["maxParallelBlocks"]) if "maxParallelBlocks" in settings else None,
        input_schema=document.get("inputSchema") or {})


def _block(document: Document, defaults: Mapping[str, Document], usual: RetryPolicy) -> Block:
    return Block(
        block_id=document["blockId"], name=document.get("name", ""), description=document.get("description", ""),
        agent_id=document["agentId"], agent_type=document.get("agentType"), tool_type=document["toolType"],
        configuration=document.get("configuration") or {}, dependencies=tuple(document.get("dependencies") or ()),
        conditions=_conditions(document.get("conditions")),
        human_in_loop=_human_in_loop({**defaults["humanInLoop"], **(document.get("humanInLoop") or {})}),
        retry_policy=_retry_policy({**defaults["retryPolicy"], **(document.get("retryPolicy") or {})}, usual),
        timeout=_milliseconds(document.get("timeout")),
        side_effects=SideEffects(document.get("sideEffects", SideEffects.UNSAFE)),
        estimated_duration=_milliseconds((document.get("metadata") or {}).get("estimatedDuration")))


def _conditions(document: Document | None) -> Conditions | None:
    if not document:
        return None
    return Conditions(
        type=ConditionType(document["type"]), expression=document.get("expression"),
        branches=tuple(Branch(condition=branch.get("condition"), is_default=branch.get("default", False),
                              next_blocks=tuple(branch["nextBlocks"])) for branch in document.get("branches") or ()))


def _human_in_loop(document: Document) -> HumanInLoop:
    usual = HumanInLoop()
    return HumanInLoop(
        required=document.get("required", usual.required), type=document.get("type", usual.type),
        approval_level=document.get("approvalLevel", usual.approval_level),
        input_schema=document.get("inputSchema") or {}, timeout=_milliseconds(document.get("timeout")),
        escalate_to=document.get("escalateTo", usual.escalate_to))


def _retry_policy(document: Document, usual: RetryPolicy) -> RetryPolicy:
    return RetryPolicy(
        max_retries=int(document.get("maxRetries", usual.max_retries)),
        backoff_strategy=document.get("backoffStrategy", usual.backoff_strategy),
        retry_conditions=tuple(document.get("retryConditions", usual.retry_conditions)),
        initial_delay=_milliseconds(document.get("initialDelay")) or usual.initial_delay,
        max_delay=_milliseconds(document.get("maxDelay")) or usual.max_delay)


def _milliseconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(milliseconds=number)
