"""The input of a block: what its expressions read, what the agent is given, whether it runs and where it goes on."""

from typing import Any

import pytest

from tests.support.builders import a_block, a_block_execution, a_plan, a_running_block, an_agent, an_execution
from workflow_service.domain.errors import ExpressionError
from workflow_service.domain.sources import sources
from workflow_service.domain.statuses import BlockStatus
from workflow_service.domain.template import Block, Branch, Conditions, ConditionType
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.approvals import ApprovalsInMemory
from workflow_service.repositories.memory.blocks import BlocksInMemory
from workflow_service.repositories.memory.executions import ExecutionsInMemory
from workflow_service.repositories.memory.permits import PermitsInMemory
from workflow_service.repositories.memory.signals import SignalsInMemory
from workflow_service.repositories.memory.standing_holds import StandingHoldsInMemory
from workflow_service.repositories.memory.waits import WaitsInMemory
from workflow_service.services.claims import Claim
from workflow_service.services.inputs import Inputs, InvalidInput, choose, guard_allows
from workflow_service.services.stores import Stores

CLAIM = Claim(plan=a_plan(a_block("a")), execution=an_execution(input={"n": 1}, context={"own": 1}),
              block=a_running_block(block_id="x"), since_s=0.0)
FORM = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"maxLength": 2}}, "required": ["n"]}


def some_inputs(schema: dict[str, Any] | None = None, *, is_registry_there: bool = True) -> Inputs:
    """Return inputs of an execution in which ``a`` and ``a-b`` completed, ``b`` failed and ``c`` runs.

    Args:
        schema: of the echo agent's input.
    """
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(input_schema=schema or FORM), work=dict),
                                   InMemoryAgent(agent=an_agent("free"), work=dict)])
    agents.set_available(is_registry_there)
    blocks = BlocksInMemory()
    blocks.insert_all([
        a_block_execution("a", status=BlockStatus.COMPLETED, output={"v": 5}),
        a_block_execution("a-b", status=BlockStatus.COMPLETED, output={"v": 6}),
        a_block_execution("b", status=BlockStatus.FAILED, output={"v": 7}),
        a_block_execution("c", status=BlockStatus.RUNNING),
        a_block_execution("a", execution_id="other", status=BlockStatus.COMPLETED, output={"v": 8})])
    stores = Stores(executions=ExecutionsInMemory(), blocks=blocks, waits=WaitsInMemory(),
                    approvals=ApprovalsInMemory(), signals=SignalsInMemory(),
                    holds=StandingHoldsInMemory(), permits=PermitsInMemory())
    return Inputs(stores, agents)


def choice(kind: str, *branches: Branch, expression: str | None = None) -> Conditions:
    """Return the conditions of a choice."""
    return Conditions(type=ConditionType(kind), branches=branches, expression=expression)


def when(condition: str, *targets: str) -> Branch:
    """Return a branch with a condition."""
    return Branch(condition=condition, next_blocks=targets)


def otherwise(*targets: str) -> Branch:
    """Return the default branch."""
    return Branch(next_blocks=targets, is_default=True)


@pytest.mark.parametrize(("block", "names"), [
    (a_block("x"), set()),
    (a_block("x", configuration={"v": "${input.n}"}), set()),
    (a_block("x", configuration={"v": ["${blocks.a.output.v}", {"w": "${blocks['a-b'].output.v}"}]}), {"a", "a-b"}),
    (a_block("x", conditions=Conditions(type=ConditionType.GUARD, expression="blocks.a.output.v > 1")), {"a"}),
    (a_block("x", conditions=choice("exclusive", when("blocks['a-b'].output.v > 1", "y"), expression="blocks.a")),
     {"a", "a-b"}),
    (a_block("x", configuration={"v": "${has(blocks.b) || has(blocks.c) || has(blocks.nobody)}"}), set())])
def test_expressions_read_the_outputs_of_completed_blocks_that_they_name(block: Block, names: set[str]) -> None:
    variables = some_inputs().variables(CLAIM, block)
    assert set(variables) == {"input", "context", "blocks"}
    assert (variables["input"], variables["context"]) == ({"n": 1}, {"own": 1})
    completed = {name: one for name, one in variables["blocks"].items() if "output" in one}
    assert completed == {name: {"output": {"v": 5 if name == "a" else 6}, "status": "completed"}
                         for name in names}


def test_an_expression_can_read_all_that_a_block_names() -> None:
    block = a_block("x", configuration={"v": ["${input.n}", "a ${blocks.a} b"]}, conditions=choice(
        "exclusive", when("value == 1", "y"), otherwise("z"), expression="output.n"))
    assert [source.text for source in sources(block)] == ["input.n", "blocks.a", "output.n", "value == 1"]
    assert sources(a_block("x")) == ()


def test_an_input_is_the_configuration_with_its_values() -> None:
    inputs = some_inputs()
    block = a_block("x", configuration={"n": "${input.n + blocks.a.output.v}", "s": "${context.own}!", "l": [None]})
    assert inputs.resolve(block, inputs.variables(CLAIM, block)) == {"n": 6, "s": "1!", "l": [None]}


@pytest.mark.parametrize("source", ["${blocks.b.output.v}", "${blocks.nobody}", "${input.missing}", "${1 +}"])
def test_an_input_that_cant_be_resolved(source: str) -> None:
    inputs = some_inputs()
    block = a_block("x", configuration={"v": source})
    with pytest.raises(ExpressionError):
        inputs.resolve(block, inputs.variables(CLAIM, block))


def test_an_input_has_to_fit_the_agents_schema() -> None:
    inputs = some_inputs()
    inputs.check(a_block("x"), {"n": 1, "s": "ok", "more": True})
    with pytest.raises(InvalidInput, match=r"^s: This should have at most 2 characters.; input: 'n' is a req"):
        inputs.check(a_block("x"), {"s": "long"})
    with pytest.raises(InvalidInput, match="^n: This should be of type"):
        inputs.check(a_block("x"), {"n": "1"})


@pytest.mark.parametrize(("agent_id", "is_there"), [("free", True), ("nobody", True), ("echo", False)])
def test_without_a_schema_the_agent_decides_itself(agent_id: str, is_there: bool) -> None:
    some_inputs(is_registry_there=is_there).check(a_block("x", agent_id=agent_id), {"n": "wrong"})


@pytest.mark.parametrize("schema", [{"type": "text"}, {"pattern": "("}, {"$ref": "#/properties/n"},
                                    {"$ref": "http://127.0.0.1:1/"}])
def test_a_schema_that_cant_be_followed_fails_the_check(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        some_inputs({"properties": {"n": schema}}).check(a_block("x"), {"n": "text"})


@pytest.mark.parametrize(("conditions", "allows"), [
    (None, True), (choice("exclusive", when("false", "y")), True), (Conditions(type=ConditionType.GUARD), True),
    (Conditions(type=ConditionType.GUARD, expression="input.n == 1"), True),
    (Conditions(type=ConditionType.GUARD, expression="input.n == 2"), False)])
def test_a_guard_lets_the_block_run_or_not(conditions: Conditions | None, allows: bool) -> None:
    assert guard_allows(conditions, {"input": {"n": 1}}) == allows


@pytest.mark.parametrize("expression", ["input.n", "input.missing", "1 +"])
def test_a_guard_that_is_not_true_or_false(expression: str) -> None:
    with pytest.raises(ExpressionError):
        guard_allows(Conditions(type=ConditionType.GUARD, expression=expression), {"input": {"n": 1}})


@pytest.mark.parametrize(("conditions", "chosen"), [
    (None, None),
    (Conditions(type=ConditionType.GUARD, expression="true"), None),
    (choice("exclusive", when("output.n > 0", "b"), when("output.n > 1", "c"), otherwise("d")), ("b",)),
    (choice("exclusive", when("output.n > 9", "b"), when("output.n > 1", "c"), otherwise("d")), ("c",)),
    (choice("exclusive", otherwise("d"), when("output.n > 1", "c")), ("c",)),
    (choice("exclusive", when("output.n > 9", "b"), otherwise("d", "e")), ("d", "e")),
    (choice("exclusive", when("output.n > 9", "b")), ()),
    (choice("inclusive", when("output.n > 0", "b"), when("output.n > 1", "c"), otherwise("d")), ("b", "c")),
    (choice("inclusive", when("output.n > 9", "b"), otherwise("d")), ("d",)),
    (choice("inclusive", when("output.n > 9", "b")), ()),
    (choice("inclusive", when("true", "b", "c"), when("true", "c", "d")), ("b", "c", "d")),
    (choice("exclusive", when("value == 'big'", "b"), otherwise("c"), expression="output.n > 1 ? 'big' : 'small'"),
     ("b",)),
    (choice("exclusive", when("value", "b"), expression="input.n == 1 && blocks.a.output.v == 5"), ("b",))])
def test_the_branches_that_are_taken(conditions: Conditions | None, chosen: tuple[str, ...] | None) -> None:
    variables: dict[str, Any] = {"input": {"n": 1}, "context": {}, "blocks": {"a": {"output": {"v": 5}}}}
    assert choose(conditions, variables, {"n": 2}) == chosen
    assert set(variables) == {"input", "context", "blocks"}


@pytest.mark.parametrize("conditions", [
    choice("exclusive", when("output.n", "b")), choice("inclusive", when("output.missing == 1", "b")),
    choice("exclusive", when("true", "b"), expression="output.missing")])
def test_a_choice_that_cant_be_made(conditions: Conditions) -> None:
    with pytest.raises(ExpressionError):
        choose(conditions, {"input": {}, "context": {}, "blocks": {}}, {"n": 2})


def test_an_exclusive_choice_stops_at_the_first_branch_that_is_true() -> None:
    conditions = choice("exclusive", when("output.n == 2", "b"), when("output.other == 1", "c"))
    assert choose(conditions, {}, {"n": 2}) == ("b",)
