"""What is wrong with a template document: whatever it is, it is reported and nothing is raised."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import NOW, a_block_document, a_template_document, an_agent
from tests.support.graphs import repeatable
from tests.support.json_values import JSON
from workflow_service.domain.errors import Issue
from workflow_service.domain.ids import is_id
from workflow_service.integrations.json_text import DEEPEST
from workflow_service.integrations.memory.agents import InMemoryAgentService
from workflow_service.integrations.memory.work import InMemoryAgent
from workflow_service.repositories.memory.clock import VirtualClock
from workflow_service.repositories.memory.templates import TemplatesInMemory
from workflow_service.services.templates import Templates

SOURCES = st.text(st.sampled_from("ab.()[]{}'\"\\,:?!&+-=1 $"), max_size=12) | st.sampled_from([
    "blocks.a.output", "blocks['b'].v", "input.x", "output.y", "value", "true", "[1].map(x, x)", "nobody", "1 +"])
FORMS = st.dictionaries(st.sampled_from(["type", "properties", "$ref", "pattern", "items", "enum", "$id"]),
                        JSON | st.sampled_from(["object", "#", "#/x", "http://127.0.0.1:1/", "("]), max_size=3)
NAMES = st.sampled_from(["a", "b", "c", "d", "a\n"])
BRANCHES = st.fixed_dictionaries({"nextBlocks": st.lists(NAMES, min_size=1, max_size=2)},
                                 optional={"condition": SOURCES.filter(bool), "default": st.booleans()})
CONDITIONS = st.fixed_dictionaries(
    {"type": st.sampled_from(["guard", "exclusive", "inclusive"])},
    optional={"expression": SOURCES.filter(bool), "branches": st.lists(BRANCHES, max_size=3)})
BLOCKS = st.fixed_dictionaries(
    {"blockId": NAMES, "agentId": st.sampled_from(["echo", "x"]), "toolType": st.sampled_from(["script", "api"]),
     "dependencies": st.lists(NAMES, max_size=3),
     "configuration": st.dictionaries(NAMES, SOURCES.map("${{{}}}".format), max_size=2),
     "humanInLoop": st.fixed_dictionaries({"inputSchema": FORMS})}, optional={"conditions": CONDITIONS})


def sound() -> dict[str, Any]:
    """Return a template without faults that uses every field."""
    return a_template_document(
        a_block_document("a", humanInLoop={"required": True, "type": "edit", "approvalLevel": "approver",
                                           "inputSchema": {"type": "object"}, "timeout": 1, "escalateTo": "admin"}),
        a_block_document("b", "a", configuration={"v": ["${blocks.a.output.v}"]}, timeout=5, sideEffects="none",
                         retryPolicy={"maxRetries": 1, "backoffStrategy": "fixed", "retryConditions": ["x"],
                                      "initialDelay": 1, "maxDelay": 2}),
        a_block_document("c", "b", conditions={"type": "exclusive", "expression": "output.n", "branches": [
            {"condition": "value == 1", "nextBlocks": ["d"]}, {"nextBlocks": ["e"], "default": True}]}),
        a_block_document("d", conditions={"type": "guard", "expression": "blocks.c.output.ok"}), a_block_document("e"),
        description="d", tags=["t"], metadata={"category": "c"}, globalSettings={"timeout": 1, "maxParallelBlocks": 2})


def issues(document: Any, *, is_registry_there: bool = True) -> list[Issue]:
    """Return what is wrong with a document where only the echo agent is known."""
    agents = InMemoryAgentService([InMemoryAgent(agent=an_agent(), work=dict)])
    agents.set_available(is_registry_there)
    return list(Templates(TemplatesInMemory(), agents, VirtualClock(NOW)).issues(document))


def faults(document: Any) -> set[tuple[str, str]]:
    """Return where a document breaks which rule."""
    return {(issue.path, issue.code) for issue in issues(document)}


def test_a_sound_template_has_no_issue() -> None:
    assert issues(sound()) == []


def test_rules_and_forms_are_checked_together() -> None:
    document = a_template_document(
        a_block_document("a", agentId="nobody", configuration={"v": "${1 +}"}),
        a_block_document("b", humanInLoop={"inputSchema": {"properties": {"x": {"type": "text"}}}}),
        a_block_document("c", humanInLoop={"inputSchema": {"$ref": "http://127.0.0.1:1/x"}}))
    assert faults(document) == {
        ("blocks[0].agentId", "unknown_agent"), ("blocks[0].configuration.v", "bad_expression"),
        ("blocks[1].humanInLoop.inputSchema.properties.x.type", "bad_schema"),
        ("blocks[2].humanInLoop.inputSchema", "bad_reference")}


def test_faults_of_structure_come_alone() -> None:
    assert faults(a_template_document(a_block_document(agentId="nobody", toolType="shell"))) == {
        ("blocks[0].toolType", "enum")}


def test_agents_are_not_checked_while_the_registry_is_away() -> None:
    document = a_template_document(a_block_document(agentId="nobody"))
    assert issues(document, is_registry_there=False) == []
    assert [issue.code for issue in issues(document)] == ["unknown_agent"]


@pytest.mark.parametrize("text", ["a", "a-b_C9", "", "a b", "a\n", "\na", "a\n\n", "é", "x" * 128, "x" * 129, "a:b"])
def test_an_id_is_one_by_the_rules_of_the_domain(text: str) -> None:
    assert (issues(a_template_document(a_block_document(text))) == []) == is_id(text)
    assert (issues(a_template_document(templateId=text)) == []) == is_id(text)


@pytest.mark.parametrize("version", ["1.0.0\n", "1.0.0 ", "1.0", "v1.0.0", "1.0.0-rc1", "١.0.0"])
def test_a_version_is_three_numbers(version: str) -> None:
    assert {issue.path for issue in issues(a_template_document(version=version))} == {"version"}


def deep(word: str, value: Any = None) -> Any:
    """Return objects within objects, so many that a template with them is as deep as our JSON may be."""
    for _ in range(DEEPEST - 5):
        value = {word: value}
    return value


@pytest.mark.parametrize("document", [
    pytest.param(a_template_document(metadata=deep("a")), id="metadata"),
    pytest.param(a_template_document(a_block_document(configuration=deep("a", ["${input.x}"]))), id="configuration"),
    pytest.param(a_template_document(a_block_document(humanInLoop={"inputSchema": deep("not", {})})), id="form")])
def test_a_document_may_be_as_deep_as_our_json(document: dict[str, Any]) -> None:
    assert issues(document) == []


def test_what_is_deep_down_is_checked() -> None:
    (issue,) = issues(a_template_document(a_block_document(configuration=deep("a", ["${1 +}"]))))
    assert (issue.path.count(".a"), issue.code) == (DEEPEST - 5, "bad_expression")


@repeatable
@given(JSON)
def test_any_json_is_reported(document: Any) -> None:
    assert issues(document)


@repeatable
@given(st.data(), JSON)
def test_a_sound_template_with_anything_put_anywhere(data: st.DataObject, anything: Any) -> None:
    document = deepcopy(sound())
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    place[key] = anything
    assert all(isinstance(issue, Issue) and issue.message for issue in issues(document))


@repeatable
@given(st.lists(BLOCKS, min_size=1, max_size=5))
def test_any_document_of_the_right_structure(blocks: list[dict[str, Any]]) -> None:
    found = issues(a_template_document(*blocks))
    assert all(isinstance(issue, Issue) and issue.message for issue in found)
    assert len({block["blockId"] for block in blocks}) == len(blocks) or found
