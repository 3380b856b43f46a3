"""Starting with a key: one execution, whatever dies and whoever comes at the same moment."""

from __future__ import annotations

from itertools import count

import pytest

from tests.unit.services.lives import OPERATOR, Life, block
from workflow_service.domain.commands import ExecutionFilter, RestartExecution, StartExecution
from workflow_service.domain.errors import IdempotencyKeyReused, Invalid, UnfitInput
from workflow_service.domain.statuses import ExecutionStatus

COMMAND = StartExecution(template_id="t", workspace_id=OPERATOR.workspace_id, input={"a": 1}, idempotency_key="k")


def _dies(life: Life, last: int) -> bool:
    """Let a process that starts it die before its call of this number; False if it came to its end before."""
    return life.dies(lambda: life.engine.executions.start_once(OPERATOR, COMMAND), last)


def test_a_start_that_died_anywhere_is_repeated_and_there_is_one_execution() -> None:
    died = 0
    for last in count(1):
        life = Life(block("a"), block("b", "a"))
        if not _dies(life, last):
            break
        died += 1
        again = life.engine.executions.start_once(OPERATOR, COMMAND)
        assert again.execution.status is ExecutionStatus.RUNNING
        assert life.engine.executions.page(OPERATOR, ExecutionFilter()).total == 1
        life.settle()
        assert life.of(again.execution.execution_id).status is ExecutionStatus.COMPLETED
        assert len(life.agents.effects) == 2
    assert died > 4


def test_a_start_that_died_is_brought_to_its_end_if_nobody_repeats_it() -> None:
    life = Life(block("a"))
    assert _dies(life, 6)
    life.settle()
    assert [run.status for run in life.runs()] == [ExecutionStatus.COMPLETED]


def test_a_key_that_was_used_for_something_else() -> None:
    life = Life(block("a"))
    life.engine.executions.start(OPERATOR, COMMAND)
    with pytest.raises(IdempotencyKeyReused):
        life.engine.executions.start(OPERATOR, StartExecution(
            template_id="t", workspace_id=OPERATOR.workspace_id, input={"a": 1.0}, idempotency_key="k"))


def test_tags_and_attributes_are_those_of_the_start() -> None:
    life = Life(block("a"), tags=["legal"], inputSchema={"required": ["a"]})
    with pytest.raises(UnfitInput):
        life.start()
    run = life.engine.executions.start(OPERATOR, StartExecution(
        template_id="t", workspace_id=OPERATOR.workspace_id, input={"a": 1}, attributes={"order": 7}))
    life.settle()
    kept = life.of(run.execution_id)
    assert (kept.tags, kept.attributes, kept.idempotency_key) == (("legal",), {"order": 7}, None)


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "ü"])
def test_a_key_that_is_none(key: str) -> None:
    life = Life(block("a"))
    with pytest.raises(Invalid):
        life.engine.executions.start(OPERATOR, StartExecution(
            template_id="t", workspace_id=OPERATOR.workspace_id, idempotency_key=key))
    assert not life.runs()


@pytest.mark.parametrize("patch", [{"a": None}, {"a": "x"}])
def test_a_restart_may_not_make_the_input_unfit(patch: dict[str, object]) -> None:
    life = Life(block("a"), inputSchema={"required": ["a"], "properties": {"a": {"type": "integer"}}})
    run = life.start(a=1)
    life.settle()
    with pytest.raises(UnfitInput):
        life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a", input_patch=patch))
    life.engine.restarts.restart(OPERATOR, RestartExecution(execution_id=run, from_block="a", input_patch={"a": 2}))
    life.settle()
    assert life.of(run).input == {"a": 2}
