"""What keeps a template that was stored from running as its author meant: retry numbers, and gates without anybody.

These rules are no reason to refuse a template: what it says can be stored, and may be right again tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.agents import Agent
from workflow_service.domain.errors import Issue
from workflow_service.domain.template import Block, Template
from workflow_service.domain.template_schema import BACKOFF_STRATEGIES

ANSWERING_ROLES = ("approver", "admin")
"""The roles whose users may answer an approval at all."""
MOST_RETRIES = 100
"""Of one block."""


def readiness_issues(template: Template) -> Iterator[Issue]:
    """Yield what is wrong with the numbers and the people of a template."""
    for index, block in enumerate(template.blocks):
        yield from _retry_issues(block, f"blocks[{index}].retryPolicy")
        if block.human_in_loop.required:
            yield from _gate_issues(block, f"blocks[{index}].humanInLoop")


def availability_issue(agent: Agent, path: str) -> Issue | None:
    """Return what is wrong with an agent that is registered and takes no work; None if it does."""
    if agent.status == "available":
        return None
    return Issue(path=path, code="agent_not_available",
                 message=f"The Agent Service says that the agent '{agent.agent_id}' is {agent.status}.")


def _retry_issues(block: Block, path: str) -> Iterator[Issue]:
    policy = block.retry_policy
    if not 0 <= policy.max_retries <= MOST_RETRIES:
        yield Issue(path=f"{path}.maxRetries", code="out_of_range",
                    message=f"This should be from 0 to {MOST_RETRIES}.")
    if policy.initial_delay > policy.max_delay:
        yield Issue(path=f"{path}.initialDelay", code="out_of_range",
                    message="The first delay is longer than the longest (maxDelay), which cuts it.")
    if policy.backoff_strategy not in BACKOFF_STRATEGIES:
        yield Issue(path=f"{path}.backoffStrategy", code="unknown_strategy", message="There is no such strategy.",
                    allowed=BACKOFF_STRATEGIES)


def _gate_issues(block: Block, path: str) -> Iterator[Issue]:
    gate = block.human_in_loop
    for name, role in (("approvalLevel", gate.approval_level), ("escalateTo", gate.escalate_to)):
        if role not in ANSWERING_ROLES:
            yield Issue(path=f"{path}.{name}", code="nobody_can_answer", allowed=ANSWERING_ROLES,
                        message=f"Users of the role '{role}' may not answer approvals.")
