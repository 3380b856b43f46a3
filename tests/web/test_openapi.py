"""The OpenAPI document is valid, complete and good to generate clients from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.web.checked_client import CheckedClient
from web.api.schemas.examples import TEMPLATE
from web.auth import PERMISSIONS
from workflow_service.domain.template_parsing import parse_template
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.validation import template_issues


@pytest.fixture
def document(client: CheckedClient) -> dict[str, Any]:
    """The document."""
    return client.document()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for item in document["paths"].values()
            for method, operation in item.items() if method in ("get", "post", "put", "patch", "delete")}


def test_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(document).validate()


def test_operation_ids_are_those_that_clients_are_built_on(document: dict[str, Any]) -> None:
    assert set(_operations(document)) == {
        "createTemplate", "listTemplates", "getTemplate", "updateTemplate", "listTemplateVersions",
        "deleteTemplate", "publishTemplate", "archiveTemplate", "diffTemplate", "validateTemplate", "planTemplate",
        "exportTemplate", "simulateTemplate", "simulateGivenTemplate",
        "startExecution", "listExecutions", "getExecution", "sendSignal", "listSignals",
        "pauseExecution", "resumeExecution", "cancelExecution", "restartExecution", "skipBlock", "retryBlock",
        "cancelBlock",
        "listHolds", "placeHold", "liftHold", "listEvents", "getExecutionLogs", "verifyExecution",
        "listPendingApprovals", "getApproval", "respondToApproval", "getHealth", "getReadiness", "getMetrics"}


def test_every_endpoint_of_the_api_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    rules = {re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()
             if rule.rule.startswith("/api/v1")}
    assert rules | {"/health", "/ready", "/metrics"} == set(document["paths"])


def test_what_needs_a_token_says_so(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        public = name in ("getHealth", "getReadiness")
        assert operation.get("security") == (None if public else [{"bearerAuth": []}])
        assert public or operation["x-permission"] in PERMISSIONS["admin"]
        assert public or {"401", "403"} <= set(operation["responses"])
    assert document["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"


def test_every_operation_has_a_summary_and_one_tag(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        assert operation["summary"] and len(operation["tags"]) == 1


def test_the_template_is_the_domains_own_schema(document: dict[str, Any]) -> None:
    assert _without_references(document["components"]["schemas"]["WorkflowTemplate"], document) == TEMPLATE_SCHEMA


def test_parts_of_the_template_have_names(document: dict[str, Any]) -> None:
    parts = {"TemplateBlock", "Conditions", "Branch", "HumanInLoop", "RetryPolicy", "GlobalSettings"}
    assert parts <= set(document["components"]["schemas"])
    block = document["components"]["schemas"]["TemplateBlock"]["properties"]
    assert block["retryPolicy"] == {"$ref": "#/components/schemas/RetryPolicy"}


def _properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each property that a schema names, at whatever depth, with its own schema."""
    if isinstance(schema, dict):
        named = schema.get("properties")
        yield from named.items() if isinstance(named, dict) else ()
        schema = [part for key, part in schema.items() if key not in ("example", "default")]
    for part in schema if isinstance(schema, list) else ():
        yield from _properties(part)


def _parameters(document: dict[str, Any], place: str) -> dict[str, list[dict[str, Any]]]:
    """Return the parameters of each operation that stand in one place of a request."""
    return {name: [one for one in operation.get("parameters", ()) if one["in"] == place]
            for name, operation in _operations(document).items()}


def test_all_names_are_in_camel_case(document: dict[str, Any]) -> None:
    names = [name for name, _ in _properties(document)]
    names += [one["name"] for parameters in _parameters(document, "query").values() for one in parameters]
    names += re.findall(r"\{(\w+)\}", "".join(document["paths"]))
    assert len(names) > 200
    assert not [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", name)]


def test_all_instants_say_that_they_are(document: dict[str, Any]) -> None:
    described = [*_properties(document), *((one["name"], one["schema"]) for parameters in
                                           _parameters(document, "query").values() for one in parameters)]
    instants = [(name, schema) for name, schema in described
                if re.search(r"(At|ed(After|Before)|^timestamp)$", name)]
    assert len(instants) > 20
    assert {(schema["type"], schema.get("format")) for _, schema in instants} == {("string", "date-time")}
    others = {name for name, schema in described if isinstance(schema, dict) and schema.get("format") == "date-time"}
    assert others - {"until"} == {name for name, _ in instants}  # in a template that may be an expression


@pytest.mark.parametrize(("operation", "query", "headers"), [
    ("listEvents", {"after", "limit", "follow"}, {"Last-Event-ID"}),
    ("getExecutionLogs", {"blockId", "level", "limit", "offset", "follow"}, {"Last-Event-ID"}),
    ("startExecution", set(), {"Idempotency-Key"}),
    ("updateTemplate", set(), {"If-Match"})])
def test_headers_stand_beside_what_else_there_is(document: dict[str, Any], operation: str, query: set[str],
                                                 headers: set[str]) -> None:
    assert {one["name"] for one in _parameters(document, "query")[operation]} == query
    assert {one["name"] for one in _parameters(document, "header")[operation]} == headers


def _without_references(schema: Any, document: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_without_references(item, document) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _without_references(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    return {key: _without_references(value, document) for key, value in schema.items()}


def test_examples_follow_their_schemas(document: dict[str, Any]) -> None:
    checked = 0
    for operation in _operations(document).values():
        for place in [operation.get("requestBody", {}), *operation["responses"].values()]:
            content = place.get("content", {}).get("application/json", {})
            if "example" in content:
                schema = {"allOf": [content["schema"]], "components": document["components"]}
                OAS30Validator(schema).validate(content["example"])
                checked += 1
    assert checked >= 7


def test_the_example_template_is_a_good_one() -> None:
    Draft202012Validator(TEMPLATE_SCHEMA).validate(TEMPLATE)
    assert not template_issues(parse_template(TEMPLATE), None)
