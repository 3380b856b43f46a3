"""Templates: documents become values, with defaults where the author said nothing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.template import (
    Block,
    Branch,
    Conditions,
    ConditionType,
    HumanInLoop,
    RetryPolicy,
    SideEffects,
    Template,
)
from workflow_service.domain.template_parsing import parse_template

SECOND = timedelta(seconds=1)


def parse(**settings: Any) -> Template:
    """Parse a template with one block."""
    return parse_template(a_template_document(globalSettings=settings))


def parse_block(settings: dict[str, Any] | None = None, **fields: Any) -> Block:
    """Parse a template with one block that has these fields."""
    return parse_template(a_template_document(a_block_document(**fields), globalSettings=settings or {})).block("a")


def test_the_least_that_a_template_says() -> None:
    document = {"templateId": "t", "name": "n", "version": "1.2.3",
                "blocks": [{"blockId": "a", "agentId": "echo", "toolType": "script"}]}
    template = parse_template(document)
    assert template == Template(template_id="t", name="n", version="1.2.3", document=document,
                                blocks=(Block(block_id="a", agent_id="echo", tool_type="script"),))


def test_all_that_a_block_can_say() -> None:
    assert parse_block(
        name="A", description="first", agentType="reader", toolType="api", configuration={"x": [1]},
        dependencies=["b", "c"], timeout=1500, sideEffects="none",
        conditions={"type": "exclusive", "expression": "output.n",
                    "branches": [{"condition": "value > 1", "nextBlocks": ["d"]},
                                 {"nextBlocks": ["e", "f"], "default": True}]},
        humanInLoop={"required": True, "type": "edit", "approvalLevel": "admin", "inputSchema": {"type": "object"},
                     "timeout": 1000, "escalateTo": "operator"},
        retryPolicy={"maxRetries": 7, "backoffStrategy": "linear", "retryConditions": ["busy"], "initialDelay": 1000,
                     "maxDelay": 2000},
    ) == Block(
        block_id="a", name="A", description="first", agent_id="echo", agent_type="reader", tool_type="api",
        configuration={"x": [1]}, dependencies=("b", "c"), timeout=1.5 * SECOND, side_effects=SideEffects.NONE,
        conditions=Conditions(type=ConditionType.EXCLUSIVE, expression="output.n",
                              branches=(Branch(next_blocks=("d",), condition="value > 1"),
                                        Branch(next_blocks=("e", "f"), is_default=True))),
        human_in_loop=HumanInLoop(required=True, type="edit", approval_level="admin", input_schema={"type": "object"},
                                  timeout=SECOND, escalate_to="operator"),
        retry_policy=RetryPolicy(max_retries=7, backoff_strategy="linear", retry_conditions=("busy",),
                                 initial_delay=SECOND, max_delay=2 * SECOND))


def test_settings_of_the_whole_template() -> None:
    template = parse(timeout=60_000, maxParallelBlocks=3)
    assert (template.timeout, template.max_parallel_blocks) == (timedelta(minutes=1), 3)


@pytest.mark.parametrize(("settings", "block", "expected"), [
    ({}, {}, RetryPolicy()),
    ({"maxRetries": 9, "maxDelay": 5000}, {}, RetryPolicy(max_retries=9, max_delay=5 * SECOND)),
    ({"maxRetries": 9, "maxDelay": 5000}, {"maxRetries": 0}, RetryPolicy(max_retries=0, max_delay=5 * SECOND)),
    ({"retryConditions": ["busy"]}, {"retryConditions": []}, RetryPolicy(retry_conditions=()))])
def test_a_block_overrides_the_retry_defaults_field_by_field(settings: dict[str, Any], block: dict[str, Any],
                                                             expected: RetryPolicy) -> None:
    assert parse_block({"defaultRetryPolicy": settings}, retryPolicy=block).retry_policy == expected


def test_a_block_overrides_the_gate_defaults_field_by_field() -> None:
    defaults = {"humanInLoopDefaults": {"required": True, "approvalLevel": "operator", "timeout": 1000}}
    assert parse_block(defaults).human_in_loop == HumanInLoop(required=True, approval_level="operator", timeout=SECOND)
    assert parse_block(defaults, humanInLoop={"required": False, "timeout": 2000}).human_in_loop == HumanInLoop(
        required=False, approval_level="operator", timeout=2 * SECOND)


def test_the_service_gives_what_neither_block_nor_template_says() -> None:
    usual = RetryPolicy(max_retries=1, backoff_strategy="fixed", retry_conditions=("agent",), initial_delay=3 * SECOND,
                        max_delay=4 * SECOND)
    assert parse_template(a_template_document(), usual).block("a").retry_policy == usual
    settings = {"defaultRetryPolicy": {"maxRetries": 5}}
    policy = parse_template(a_template_document(globalSettings=settings), usual).block("a").retry_policy
    assert (policy.max_retries, policy.backoff_strategy) == (5, "fixed")


def test_whole_numbers_written_with_a_point_are_whole_numbers() -> None:
    template = parse(maxParallelBlocks=2.0, defaultRetryPolicy={"maxRetries": 3.0})
    assert type(template.max_parallel_blocks) is int
    assert type(template.block("a").retry_policy.max_retries) is int


def test_a_block_is_found_by_its_id() -> None:
    template = parse_template(a_template_document(a_block_document("a"), a_block_document("b")))
    assert template.block("b").block_id == "b"
    with pytest.raises(KeyError):
        template.block("c")
