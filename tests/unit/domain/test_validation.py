"""The rules of a template: each fault is found where it is, and all of them at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import a_block_document, a_template_document, an_agent
from tests.support.flows import Flow, flows
from tests.support.graphs import repeatable, templates
from workflow_service.domain.errors import Issue
from workflow_service.domain.template import Template
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.validation import MOST_DEPENDENCIES, MOST_EXPRESSION_TEXT, size_issues, template_issues

AGENTS = {"echo": an_agent(), "caller": an_agent("caller", type="client", tool_types=("api", "mcp"))}
a, b, c, d = (a_block_document(name) for name in "abcd")


def issues(*blocks: dict[str, Any]) -> list[Issue]:
    """Return the faults of a template of these blocks."""
    return list(template_issues(parse_template(a_template_document(*blocks)), AGENTS))


def faults(*blocks: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where a template of these blocks breaks which rule."""
    return [(issue.path, issue.code) for issue in issues(*blocks)]


def reads(source: str, *dependencies: str) -> dict[str, Any]:
    """Return the block ``x`` whose configuration holds an expression."""
    return a_block_document("x", *dependencies, configuration={"v": [source]})


def guarded(expression: str, *dependencies: str) -> dict[str, Any]:
    """Return the block ``x`` with a guard."""
    return a_block_document("x", *dependencies, conditions={"type": "guard", "expression": expression})


def choosing(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the block ``x`` with an exclusive choice."""
    return a_block_document("x", "a", conditions={"type": "exclusive", "branches": list(branches), **fields})


TO_B = {"condition": "true", "nextBlocks": ["b"]}
VALUE = "blocks[0].configuration.v[0]"
BRANCH = "blocks[1].conditions.branches[0].condition"


@pytest.mark.parametrize(("blocks", "expected"), [
    pytest.param([a, a, b, a], [("blocks[1].blockId", "duplicate_block"), ("blocks[3].blockId", "duplicate_block")],
                 id="an id twice"),
    pytest.param([a, a_block_document("b", "a", "z")], [("blocks[1].dependencies[1]", "unknown_block")],
                 id="a dependency on nobody"),
    pytest.param([a, choosing({"condition": "true", "nextBlocks": ["b", "z"]}), b],
                 [("blocks[1].conditions.branches[0].nextBlocks[1]", "unknown_block")], id="a branch to nobody"),
    pytest.param([a_block_document("a", "a")], [("blocks", "cycle")], id="a block that waits for itself"),
    pytest.param([a_block_document("a", "c"), a_block_document("b", "a"), a_block_document("c", "b")],
                 [("blocks", "cycle")], id="blocks that wait for each other"),
    pytest.param([a, choosing({"condition": "true", "nextBlocks": ["a"]})], [("blocks", "cycle")],
                 id="a branch that goes back"),
    pytest.param([a_block_document(conditions={"type": "guard"})], [("blocks[0].conditions.expression", "required")],
                 id="a guard without expression"),
    pytest.param([a, a_block_document("x", conditions={"type": "guard", "expression": "true", "branches": [TO_B]}), b],
                 [("blocks[1].conditions.branches", "not_allowed")], id="a guard with branches"),
    pytest.param([a, choosing()], [("blocks[1].conditions.branches", "required")], id="a choice without branches"),
    pytest.param([a, choosing({"nextBlocks": ["b"], "default": True}, {"nextBlocks": ["c"], "default": True}), b, c],
                 [("blocks[1].conditions.branches", "several_defaults")], id="two defaults"),
    pytest.param([a, choosing({"nextBlocks": ["b"]}), b], [(BRANCH, "condition_or_default")],
                 id="neither condition nor default"),
    pytest.param([a, choosing({"nextBlocks": ["b"], "condition": "true", "default": True}), b],
                 [(BRANCH, "condition_or_default")], id="condition and default"),
    pytest.param([a_block_document(agentId="nobody")], [("blocks[0].agentId", "unknown_agent")], id="no such agent"),
    pytest.param([a_block_document(agentId="caller")], [("blocks[0].toolType", "tool_type_not_offered")],
                 id="a tool that the agent has not"),
    pytest.param([a_block_document(agentType="client")], [("blocks[0].agentType", "wrong_agent_type")],
                 id="an agent of another type"),
    pytest.param([reads("${1 +}")], [(VALUE, "bad_expression")], id="no CEL in a configuration"),
    pytest.param([reads("${}")], [(VALUE, "bad_expression")], id="an empty expression"),
    pytest.param([reads("n=${input.n")], [(VALUE, "bad_expression")], id="an expression without end"),
    pytest.param([reads("${ {'a': {'b': 1 +}} }")], [(VALUE, "bad_expression")], id="no CEL within braces"),
    pytest.param([reads("${" + "(" * 70_000 + "}")], [(VALUE, "bad_expression")], id="CEL that is too deep"),
    pytest.param([reads("${1" + "+1" * 100_000 + "}")], [(VALUE, "bad_expression")], id="CEL that is too long"),
    pytest.param([guarded("1 +")], [("blocks[0].conditions.expression", "bad_expression")], id="no CEL in a guard"),
    pytest.param([a, choosing({"condition": "1 +", "nextBlocks": ["b"]}), b], [(BRANCH, "bad_expression")],
                 id="no CEL in a branch"),
    pytest.param([reads("${output.v}")], [(VALUE, "unknown_variable")], id="its own output in its input"),
    pytest.param([guarded("output.v == value")], [("blocks[0].conditions.expression", "unknown_variable")] * 2,
                 id="its own output in its guard"),
    pytest.param([a, choosing(TO_B, expression="value"), b], [("blocks[1].conditions.expression", "unknown_variable")],
                 id="the value of a choice in itself"),
    pytest.param([a, b, reads("${blocks.b.output}", "a")], [("blocks[2].configuration.v[0]", "not_before")],
                 id="a block beside it"),
    pytest.param([reads("${blocks.b.output}"), a_block_document("b", "x")], [(VALUE, "not_before")],
                 id="a block after it"),
    pytest.param([reads("${blocks.x.output}")], [(VALUE, "not_before")], id="itself"),
    pytest.param([reads("${blocks['z'].output + blocks.y.output}")], [(VALUE, "not_before")] * 2, id="nobody"),
    pytest.param([guarded("blocks.z.output.ok")], [("blocks[0].conditions.expression", "not_before")],
                 id="nobody in a guard"),
    pytest.param([a, choosing({"condition": "blocks.b.output.ok", "nextBlocks": ["b"]}), b], [(BRANCH, "not_before")],
                 id="the block that a branch leads to")])
def test_each_rule(blocks: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert faults(*blocks) == expected


@pytest.mark.parametrize("blocks", [
    pytest.param([a, b], id="blocks side by side"),
    pytest.param([a, a_block_document("b", "a", "a")], id="a dependency twice"),
    pytest.param([a, b, reads("${blocks.a.output.v + blocks['b'].output.v}", "a", "b")], id="blocks before it"),
    pytest.param([a, a_block_document("b", "a"), reads("${blocks.a.output}", "b")], id="a block long before it"),
    pytest.param([a, choosing(TO_B), a_block_document("b", configuration={"v": "${blocks.x.output}"})],
                 id="the block that chose it"),
    pytest.param([reads("${input.a + context.b}")], id="input and context"),
    pytest.param([reads("${[1].map(i, i + 1)} ${type(input) == map}")], id="variables of its own and types"),
    pytest.param([reads("${'blocks.z' + \"blocks['z']\"}")], id="names of blocks in strings"),
    pytest.param([reads("${input.blocks.z}")], id="a field that is called blocks"),
    pytest.param([reads("no $ {here}, blocks.z neither")], id="text"),
    pytest.param([reads("${'${'}")], id="the sign of an expression as text"),
    pytest.param([guarded("input.go == true && blocks.a.output.ok", "a"), a], id="a guard"),
    pytest.param([a, choosing({"condition": "value > 1 && output.ok", "nextBlocks": ["b"]},
                              {"nextBlocks": ["c", "d"], "default": True}, expression="output.n"), b, c, d],
                 id="a choice"),
    pytest.param([a_block_document(agentId="caller", toolType="api", agentType="client")], id="another agent")])
def test_what_is_right(blocks: list[dict[str, Any]]) -> None:
    assert faults(*blocks) == []


def test_a_cycle_names_its_blocks_in_order() -> None:
    (issue,) = issues(d, a_block_document("a", "c"), a_block_document("b", "a"), a_block_document("c", "b"))
    circle = issue.message.removesuffix(".").rpartition(": ")[2].split(" -> ")
    start = circle.index("a")
    assert [*circle[start:-1], *circle[:start + 1]] == ["a", "b", "c", "a"]


def test_an_issue_says_what_would_have_been_right() -> None:
    (unknown,) = issues(a, a_block_document("b", "z"))
    assert unknown.allowed == ("a", "b")
    (nobody,) = issues(a_block_document(agentId="nobody"))
    assert nobody.allowed == ("caller", "echo")
    (tool,) = issues(a_block_document(agentId="caller"))
    assert tool.allowed == ("api", "mcp")
    (variable,) = issues(reads("${foo}"))
    assert variable.allowed == ("input", "context", "blocks")
    assert "'foo'" in variable.message


def test_all_faults_are_named_at_once() -> None:
    found = faults(a_block_document("a", "z", agentId="nobody"), a_block_document("a", agentType="x", toolType="mcp"),
                   a_block_document("b", "c", conditions={"type": "guard"}), a_block_document("c", "b"), choosing())
    assert sorted(found) == [
        ("blocks", "cycle"), ("blocks[0].agentId", "unknown_agent"), ("blocks[0].dependencies[0]", "unknown_block"),
        ("blocks[1].agentType", "wrong_agent_type"), ("blocks[1].blockId", "duplicate_block"),
        ("blocks[1].toolType", "tool_type_not_offered"), ("blocks[2].conditions.expression", "required"),
        ("blocks[4].conditions.branches", "required")]


def test_all_faults_of_expressions_are_named_at_once() -> None:
    second = a_block_document("y", "x", configuration={"v": "${blocks.y.output}"},
                              conditions={"type": "guard", "expression": "bar"})
    assert faults(reads("${foo} ${blocks.z} ${1 +}"), second) == [
        (VALUE, "unknown_variable"), (VALUE, "not_before"), (VALUE, "bad_expression"),
        ("blocks[1].configuration.v", "not_before"), ("blocks[1].conditions.expression", "unknown_variable")]


def test_agents_are_not_checked_while_the_registry_is_away() -> None:
    template = parse_template(a_template_document(a_block_document(agentId="nobody", agentType="x", toolType="mcp")))
    assert template_issues(template, None) == ()


@repeatable
@given(templates())
def test_sound_graphs_are_right(template: Template) -> None:
    assert template_issues(template, AGENTS) == ()


@repeatable
@given(flows(late=True, all_handled=False))
def test_sound_join_policies_and_failure_policies_are_right(flow: Flow) -> None:
    assert faults(*flow.blocks()) == []


@repeatable
@given(templates(), st.data())
def test_a_dependency_that_closes_a_circle_is_found(template: Template, data: st.DataObject) -> None:
    documents = [a_block_document(block.block_id, *block.dependencies) for block in template.blocks]
    one = data.draw(st.sampled_from(documents))
    one["dependencies"].append(one["blockId"])
    assert ("blocks", "cycle") in faults(*documents)


def test_what_would_have_been_right_is_worked_out_once_for_all_faults() -> None:
    one, other, nobody, noone = issues(a_block_document("a", "y", "z", agentId="x"), a_block_document("b", agentId="y"))
    assert one.allowed is other.allowed
    assert nobody.allowed is noone.allowed


def _sized(dependencies: int, expression: str = "", condition: str = "") -> dict[str, object]:
    return {"blocks": [{"dependencies": ["a"] * dependencies, "configuration": {"text": [expression]},
                        "conditions": {"expression": condition}}, "no block", {"dependencies": "none"}]}


@pytest.mark.parametrize("document", [
    _sized(MOST_DEPENDENCIES), _sized(0, "${" + "1" * (MOST_EXPRESSION_TEXT - 2)), _sized(0, "x" * 1_000_000),
    {}, [], "no", {"blocks": 1}])
def test_what_is_not_too_large(document: object) -> None:
    assert size_issues(document) == ()


@pytest.mark.parametrize("document", [
    _sized(MOST_DEPENDENCIES + 1), _sized(0, "${" + "1" * MOST_EXPRESSION_TEXT),
    _sized(0, condition="1" * (MOST_EXPRESSION_TEXT + 1))], ids=["dependencies", "expressions", "conditions"])
def test_what_is_too_large(document: object) -> None:
    (issue,) = size_issues(document)
    assert (issue.path, issue.code) == ("blocks", "too_large")
