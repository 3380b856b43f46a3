"""Values for tests: each builder fills in what a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_service.domain import blocks
from workflow_service.domain.agents import Agent, Failure, FailureClass
from workflow_service.domain.blocks import BlockExecution
from workflow_service.domain.compiler import compile_template
from workflow_service.domain.execution import Execution
from workflow_service.domain.plan import Plan
from workflow_service.domain.statuses import BlockStatus, WaitKind
from workflow_service.domain.template import Block, Branch, Conditions, ConditionType, HumanInLoop, Template
from workflow_service.domain.wait import Wait

NOW = datetime(2025, 8, 21, 9, 30, tzinfo=UTC)
"""The instant at which tests begin."""
LATER = NOW + timedelta(minutes=1)
"""An instant after it."""
LEASE = timedelta(seconds=30)
"""The length of a claim in tests."""


def a_block_document(block_id: str = "a", *dependencies: str, **fields: Any) -> dict[str, Any]:
    """Return a block as an author writes it, done by the echo agent."""
    usual: dict[str, Any] = {"blockId": block_id, "agentId": "echo", "toolType": "script",
                             "configuration": {"value": block_id}, "dependencies": list(dependencies)}
    return {**usual, **fields}


def a_template_document(*documents: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a template as an author writes it; with one block ``a`` if none is given."""
    usual: dict[str, Any] = {"templateId": "t", "name": "A template", "version": "1.0.0",
                             "blocks": [dict(document) for document in documents] or [a_block_document()]}
    return {**usual, **fields}


def a_block(block_id: str = "a", *dependencies: str, **fields: Any) -> Block:
    """Return a block of a template, done by the echo agent."""
    usual: dict[str, Any] = {"agent_id": "echo", "tool_type": "script", "dependencies": dependencies}
    return Block(**{"block_id": block_id, **usual, **fields})


def a_gate(**fields: Any) -> HumanInLoop:
    """Return a gate that asks a person."""
    return HumanInLoop(**{"required": True, **fields})


def a_choice(*targets: str, type: ConditionType = ConditionType.INCLUSIVE) -> Conditions:
    """Return conditions with one branch to each of these blocks."""
    branches = tuple(Branch(next_blocks=(target,), condition=f"output.to == '{target}'") for target in targets)
    return Conditions(type=type, branches=branches)


def a_template(*wanted: Block, **fields: Any) -> Template:
    """Return a template of these blocks."""
    usual: dict[str, Any] = {"template_id": "t", "name": "A template", "version": "1.0.0", "document": {}}
    return Template(**{"blocks": wanted or (a_block(),), **usual, **fields})


def a_plan(*wanted: Block, **fields: Any) -> Plan:
    """Return the plan of a template of these blocks."""
    return compile_template(a_template(*wanted, **fields))


def a_block_execution(block_id: str = "a", **fields: Any) -> BlockExecution:
    """Return a pending block of the execution ``run``."""
    usual: dict[str, Any] = {"workspace_id": "acme", "execution_id": "run", "agent_id": "echo"}
    return BlockExecution(**{"block_id": block_id, **usual, **fields})


def a_running_block(**fields: Any) -> BlockExecution:
    """Return a block that was claimed once, at ``NOW``, and has relayed all its events."""
    ready = a_block_execution(**{"status": BlockStatus.READY, "version": 1, **fields})
    return replace(blocks.claim(ready, "worker-1", NOW, LEASE), outbox=())


def an_execution(**fields: Any) -> Execution:
    """Return a pending execution ``run``."""
    usual: dict[str, Any] = {"workspace_id": "acme", "execution_id": "run", "template_id": "t",
                             "template_version": "1.0.0", "created_by": "ada", "created_at": NOW}
    return Execution(**{**usual, **fields})


def a_wait(**fields: Any) -> Wait:
    """Return an open wait for an approval of block ``a``."""
    usual: dict[str, Any] = {"workspace_id": "acme", "execution_id": "run", "block_id": "a", "epoch": 1,
                             "kind": WaitKind.APPROVAL}
    return Wait(**{**usual, **fields})


def a_failure(**fields: Any) -> Failure:
    """Return a transient failure."""
    usual: dict[str, Any] = {"code": "busy", "failure_class": FailureClass.TRANSIENT, "message": "Try later."}
    return Failure(**{**usual, **fields})


def an_agent(agent_id: str = "echo", **fields: Any) -> Agent:
    """Return an agent that takes scripts."""
    usual: dict[str, Any] = {"name": agent_id, "type": "echo", "tool_types": ("script",)}
    return Agent(**{"agent_id": agent_id, **usual, **fields})
