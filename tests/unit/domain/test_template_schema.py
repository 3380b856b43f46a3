"""The structure of a template document: what passes, what does not, and where the fault is."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.builders import a_block_document, a_template_document
from workflow_service.domain.expressions import MAX_SOURCE_CHARACTERS
from workflow_service.domain.template_schema import (
    BACKOFF_STRATEGIES,
    MAX_BLOCKS,
    ROLES,
    TEMPLATE_SCHEMA,
    TOOL_TYPES,
)
from workflow_service.services.schemas import schema_issues

OPENAPI_KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
                    "minLength", "maxLength", "pattern", "minimum", "maximum", "enum", "description", "anyOf"}
YEAR_MS = 366 * 24 * 3600 * 1000


def faults(document: Any) -> set[tuple[str, str]]:
    """Return where a document breaks which rule of the structure."""
    return {(issue.path, issue.code) for issue in schema_issues(TEMPLATE_SCHEMA, document)}


def test_an_expression_may_be_as_long_as_it_is_compiled() -> None:
    branch = TEMPLATE_SCHEMA["properties"]["blocks"]["items"]["properties"]["conditions"]["properties"]["expression"]
    assert branch["maxLength"] == MAX_SOURCE_CHARACTERS


def test_the_schema_is_one_and_keeps_to_what_openapi_knows() -> None:
    Draft202012Validator.check_schema(TEMPLATE_SCHEMA)
    assert set(keywords(TEMPLATE_SCHEMA)) <= OPENAPI_KEYWORDS


@pytest.mark.parametrize("document", [
    a_template_document(),
    a_template_document(description="d", tags=["a"], globalSettings={}),
    a_template_document(metadata={"estimatedDuration": 1.5, "complexity": "low", "category": "x", "more": [1]}),
    a_template_document(globalSettings={"timeout": 1, "maxParallelBlocks": 1000, "defaultRetryPolicy": {},
                                        "humanInLoopDefaults": {"required": True}}),
    *(a_template_document(a_block_document(toolType=word)) for word in TOOL_TYPES),
    *(a_template_document(a_block_document(retryPolicy={"backoffStrategy": word})) for word in BACKOFF_STRATEGIES),
    *(a_template_document(a_block_document(humanInLoop={"approvalLevel": word, "escalateTo": word})) for word in ROLES),
    *(a_template_document(a_block_document(sideEffects=word)) for word in ("none", "idempotent", "unsafe")),
    *(a_template_document(a_block_document(conditions={"type": w})) for w in ("guard", "exclusive", "inclusive")),
    a_template_document(a_block_document(configuration={"any": {"thing": [None, 1.5, "${input.x}"]}})),
    a_template_document(a_block_document("x" * 128, timeout=YEAR_MS)),
    *(a_template_document(a_block_document(map={"items": "input.l", "tolerateFailures": most}))
      for most in (0, 3, "0%", "10%", "100%")),
    a_template_document(a_block_document(map={"items": "input.l", "as": "row", "maxParallel": 1000,
                                              "map": {"items": "row.cells", "as": "cell"}})),
    a_template_document({"blockId": "a", "workflow": {"templateId": "t", "version": "1.0.0"}},
                        {"blockId": "b", "wait": {"duration": 1}}, {"blockId": "c", "wait": {"until": "${input.at}"}},
                        {"blockId": "d", "waitFor": {"signals": ["go"], "mode": "all", "timeout": 5}},
                        {"blockId": "e", "end": {}}, {"blockId": "f", "end": {"status": "failed", "message": "no"}}),
    a_template_document(a_block_document(loop={"until": "output.done", "maxIterations": 3}, queue="slow", priority=9,
                                         joinPolicy={"mode": "n", "count": 2, "late": "cancel"},
                                         onFailure={"action": "branch", "nextBlocks": ["b"]},
                                         mutex={"name": "db-${input.x}", "permits": 2}), output={"x": "${input.x}"})])
def test_what_passes(document: dict[str, Any]) -> None:
    assert faults(document) == set()


def block_with(**fields: Any) -> dict[str, Any]:
    """Return a template whose one block has these fields."""
    return a_template_document(a_block_document(**fields))


@pytest.mark.parametrize(("document", "path", "codes"), [
    pytest.param(None, "", "type", id="nothing"),
    pytest.param([], "", "type", id="a list"),
    pytest.param(a_template_document(name=""), "name", "minLength", id="no name"),
    pytest.param(a_template_document(name="x" * 201), "name", "maxLength", id="a long name"),
    pytest.param(a_template_document(templateId="a b"), "templateId", "pattern", id="an id with a space"),
    pytest.param(a_template_document(templateId="a:b"), "templateId", "pattern", id="an id with a colon"),
    pytest.param(a_template_document(version="1.0"), "version", "pattern", id="a short version"),
    pytest.param(a_template_document(version=1), "version", "type", id="a version that is a number"),
    pytest.param(a_template_document(tags="a"), "tags", "type", id="tags that are no list"),
    pytest.param(a_template_document(tags=["a", 1]), "tags[1]", "type", id="a tag that is no text"),
    pytest.param(a_template_document(createdAt="2025-08-21"), "", "additionalProperties", id="a field of the service"),
    pytest.param(a_template_document(metadata={"estimatedDuration": -1}), "metadata.estimatedDuration", "minimum",
                 id="a negative duration"),
    pytest.param(a_template_document(blocks=[]), "blocks", "minItems", id="no blocks"),
    pytest.param(a_template_document(blocks=[a_block_document()] * (MAX_BLOCKS + 1)), "blocks", "maxItems",
                 id="too many blocks"),
    pytest.param(a_template_document(blocks=[{}]), "blocks[0]", "required", id="a block without fields"),
    pytest.param(a_template_document(globalSettings={"maxParallelBlocks": 0}), "globalSettings.maxParallelBlocks",
                 "minimum", id="no block at once"),
    pytest.param(a_template_document(globalSettings={"parallel": 1}), "globalSettings", "additionalProperties",
                 id="an unknown setting"),
    pytest.param(block_with(blockId="x" * 129), "blocks[0].blockId", "maxLength pattern", id="a long id"),
    pytest.param(block_with(blockId="a~0~0"), "blocks[0].blockId", "pattern", id="an id like those of joins"),
    pytest.param(block_with(toolType="shell"), "blocks[0].toolType", "enum", id="an unknown tool"),
    pytest.param(block_with(configuration=[]), "blocks[0].configuration", "type", id="a configuration that is a list"),
    pytest.param(block_with(dependencies=["a", ""]), "blocks[0].dependencies[1]", "minLength pattern",
                 id="an empty id"),
    pytest.param(block_with(timeout=0), "blocks[0].timeout", "minimum", id="no time"),
    pytest.param(block_with(timeout=YEAR_MS + 1), "blocks[0].timeout", "maximum", id="too much time"),
    pytest.param(block_with(timeout=1.5), "blocks[0].timeout", "type", id="half a millisecond"),
    pytest.param(block_with(timeout=float("inf")), "blocks[0].timeout", "type maximum", id="for ever"),
    pytest.param(block_with(timeout=True), "blocks[0].timeout", "type", id="a time that is a truth"),
    pytest.param(block_with(retryPolicy={"maxRetries": 101}), "blocks[0].retryPolicy.maxRetries", "maximum",
                 id="too many retries"),
    pytest.param(block_with(retryPolicy={"backoffStrategy": "random"}), "blocks[0].retryPolicy.backoffStrategy",
                 "enum", id="an unknown strategy"),
    pytest.param(block_with(humanInLoop={"approvalLevel": "boss"}), "blocks[0].humanInLoop.approvalLevel", "enum",
                 id="an unknown role"),
    pytest.param(block_with(humanInLoop=None), "blocks[0].humanInLoop", "type", id="a gate that is null"),
    pytest.param(block_with(map={}), "blocks[0].map", "required", id="a map over nothing"),
    pytest.param(block_with(map={"items": "x", "tolerateFailures": "101%"}), "blocks[0].map.tolerateFailures", "anyOf",
                 id="more than all may fail"),
    pytest.param(block_with(map={"items": "x", "as": "a b"}), "blocks[0].map.as", "pattern", id="a name with a space"),
    pytest.param(block_with(map={"items": "x", "map": {"items": "y", "map": {"items": "z"}}}), "blocks[0].map.map",
                 "additionalProperties", id="a map in a map in a map"),
    pytest.param(block_with(loop={"until": "x", "maxIterations": 1001}), "blocks[0].loop.maxIterations", "maximum",
                 id="too many rounds"),
    pytest.param(block_with(waitFor={"signals": []}), "blocks[0].waitFor.signals", "minItems", id="no signal"),
    pytest.param(block_with(priority=10), "blocks[0].priority", "maximum", id="too urgent"),
    pytest.param(block_with(sideEffects="some"), "blocks[0].sideEffects", "enum", id="unknown side effects"),
    pytest.param(block_with(conditions={}), "blocks[0].conditions", "required", id="conditions without a type"),
    pytest.param(block_with(conditions={"type": "guard", "expression": "x" * 4001}), "blocks[0].conditions.expression",
                 "maxLength", id="a long expression"),
    pytest.param(block_with(conditions={"type": "exclusive", "branches": [{"nextBlocks": []}]}),
                 "blocks[0].conditions.branches[0].nextBlocks", "minItems", id="a branch to nowhere"),
    pytest.param(block_with(conditions={"type": "exclusive", "branches": [{}]}),
                 "blocks[0].conditions.branches[0]", "required", id="a branch without blocks")])
def test_what_does_not_pass(document: Any, path: str, codes: str) -> None:
    assert faults(document) == {(path, code) for code in codes.split()}


def test_all_faults_are_named_at_once() -> None:
    document = a_template_document(a_block_document(toolType="shell", timeout=0), a_block_document("b c"), name="")
    assert faults(document) == {("blocks[0].toolType", "enum"), ("blocks[0].timeout", "minimum"),
                                ("blocks[1].blockId", "pattern"), ("name", "minLength")}


def keywords(schema: Any) -> Iterator[str]:
    """Yield every keyword of a schema and of those within it."""
    if not isinstance(schema, dict):
        return
    yield from schema
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        yield from keywords(inner)
