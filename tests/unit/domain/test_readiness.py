"""What keeps a stored template from running as its author meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.builders import a_block, a_gate, a_template, an_agent
from workflow_service.domain.readiness import availability_issue, readiness_issues
from workflow_service.domain.template import Block, HumanInLoop, RetryPolicy

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("block", "path"), [
    (a_block(retry_policy=RetryPolicy(max_retries=101)), "retryPolicy.maxRetries"),
    (a_block(retry_policy=RetryPolicy(max_retries=-1)), "retryPolicy.maxRetries"),
    (a_block(retry_policy=RetryPolicy(initial_delay=2 * SECOND, max_delay=SECOND)), "retryPolicy.initialDelay"),
    (a_block(retry_policy=RetryPolicy(backoff_strategy="hasty")), "retryPolicy.backoffStrategy"),
    (a_block(human_in_loop=a_gate(approval_level="viewer")), "humanInLoop.approvalLevel"),
    (a_block(human_in_loop=a_gate(approval_level="emperor")), "humanInLoop.approvalLevel"),
    (a_block(human_in_loop=a_gate(escalate_to="operator")), "humanInLoop.escalateTo"),
])
def test_what_is_wrong_is_found_at_its_place(block: Block, path: str) -> None:
    issue, = readiness_issues(a_template(a_block("first"), replace_id(block)))
    assert issue.path == f"blocks[1].{path}"


def replace_id(block: Block) -> Block:
    """Return the block with another id than the first one."""
    return a_block("second", retry_policy=block.retry_policy, human_in_loop=block.human_in_loop)


@pytest.mark.parametrize("block", [
    a_block(), a_block(human_in_loop=a_gate()), a_block(human_in_loop=HumanInLoop(approval_level="viewer")),
    a_block(retry_policy=RetryPolicy(max_retries=0)), a_block(retry_policy=RetryPolicy(max_retries=100))])
def test_what_is_right_is_no_fault(block: Block) -> None:
    assert not list(readiness_issues(a_template(block)))


def test_agent_that_takes_no_work() -> None:
    assert availability_issue(an_agent(), "p") is None
    issue = availability_issue(an_agent(status="unavailable"), "p")
    assert issue is not None and issue.code == "agent_not_available"
