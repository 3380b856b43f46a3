"""Whatever stands where a template should: it is stored and runs, or is refused with a place for each fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import repeatable
from tests.support.json_values import JSON, TEXTS
from tests.web.real_service import HandWorker, a_real_service
from workflow_service.domain.commands import StartExecution
from workflow_service.domain.errors import Conflict, Invalid, InvalidTemplate
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.users import User

MANY = 200
"""Examples; most are refused."""
ADA = User(name="ada", role="admin", workspace_id="acme")
IDS = st.sampled_from(["a", "b", "c", "d", "a", "b", "a-b", "x" * 128, "a\n", ""])
NAMES = {"agentId": st.sampled_from(["document-reader", "risk-rater", "nobody"]), "toolType": st.just("api"),
         "version": st.sampled_from(["1.0.0", "0.0.0", "1.0.0\n", "99999999999999999999.0.0", "1.0"])}
EXPRESSIONS = st.sampled_from([
    "${input.n}", "${blocks.a.output}", "${blocks.b.output.given", "${1/0}", "${[1].map(x, x)}", "input.n > 1", "true",
    "output.given.x == 1", "value", "has(context.x)", "context.x", "1 +", "", "${${}}"])
SCHEMAS = st.sampled_from([{}, {"type": "object"}, {"type": 7}, {"$ref": "#"}, {"$ref": "http://127.0.0.1:1/x"},
                           {"allOf": [{"$ref": "#"}]}, {"pattern": "("}, {"properties": {"a": {"pattern": "(a+)+$"}}}])


def near(schema: Mapping[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for values that mostly follow a schema."""
    good = _good(schema, name)
    return st.integers(0, 19).flatmap(lambda chance: JSON if chance == 0 else good)


def _good(schema: Mapping[str, Any], name: str) -> st.SearchStrategy[Any]:
    if name in NAMES:
        return NAMES[name]
    if name == "inputSchema":
        return SCHEMAS
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        return _object(schema)
    if kind == "array":
        return st.lists(near(schema["items"]), min_size=schema.get("minItems", 0), max_size=4)
    if kind == "string":
        return IDS if "pattern" in schema else EXPRESSIONS | TEXTS
    if kind in ("integer", "number"):
        return st.integers(schema.get("minimum", -5), min(schema.get("maximum", 5), 2000))
    return st.booleans() if kind == "boolean" else JSON


def _object(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: near(inner, name) for name, inner in schema.get("properties", {}).items()}
    if not fields:
        return st.dictionaries(TEXTS, EXPRESSIONS | JSON, max_size=3)
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries({name: fields[name] for name in fields if name in required},
                                 optional={name: fields[name] for name in fields if name not in required})


@settings(repeatable, max_examples=MANY)
@given(near(TEMPLATE_SCHEMA))
def test_a_document_is_stored_and_runs_or_is_refused(document: Any) -> None:
    worker = HandWorker()
    service = a_real_service("no secret at all, for nobody asks for it", worker)
    try:
        stored = service.templates.create(ADA, document)
    except InvalidTemplate as error:
        assert error.issues and all(issue.code and issue.message for issue in error.issues)
        return
    try:
        execution = service.executions.start(ADA, StartExecution(
            template_id=stored["templateId"], version=None, input={"n": 1}, workspace_id=ADA.workspace_id))
    except (Invalid, Conflict):  # its input schema wants another input, or it is a draft
        return
    worker.work(service)
    assert service.executions.get(ADA, execution.execution_id)["status"] in (
        "completed", "failed", "waiting", "running")


@pytest.mark.parametrize("document", [None, [], "a", 1, True, {}, {"blocks": {}}, {"blocks": [None]}])
def test_what_is_no_template_at_all(document: Any) -> None:
    with pytest.raises(InvalidTemplate):
        a_real_service("no secret at all, for nobody asks for it", HandWorker()).templates.create(ADA, document)
