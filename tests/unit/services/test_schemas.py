"""Checking values against schemas: each fault is an issue, nothing is fetched, and no schema breaks the check."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.graphs import repeatable
from tests.support.json_values import JSON
from workflow_service.domain.errors import Issue
from workflow_service.integrations.json_text import DEEPEST
from workflow_service.services.schemas import meta_issues, schema_issues

WORDS = st.sampled_from(["type", "properties", "items", "required", "enum", "pattern", "minimum", "$ref", "$dynamicRef",
                         "anyOf", "not", "if", "then", "multipleOf", "maxLength", "prefixItems", "$defs", "$id",
                         "$anchor", "additionalProperties", "patternProperties", "propertyNames", "const", "format"])
NOTIONS = st.sampled_from(["string", "object", "#", "#/$defs/a", "#b", "x", "(", "a+", "#/anyOf/a", "#/type/x",
                           "http://[x"])
SCHEMAS = st.recursive(
    st.booleans() | st.integers() | NOTIONS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.sampled_from(["a", "b"]), inner, max_size=4),
    max_leaves=12)


def nested(word: str, depth: int) -> dict[str, Any]:
    """Return objects within objects."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {word: value}
    return value


@pytest.mark.parametrize(("schema", "value", "path", "code", "allowed"), [
    ({"type": "integer"}, "x", "", "type", ("integer",)),
    ({"type": ["integer", "null"]}, "x", "", "type", ("integer", "null")),
    ({"enum": ["a", 1]}, "x", "", "enum", ("a", "1")),
    ({"required": ["a"]}, {}, "", "required", ()),
    ({"properties": {"b": {}, "a": {}}, "additionalProperties": False}, {"c": 1}, "", "additionalProperties",
     ("a", "b")),
    ({"additionalProperties": {"type": "null"}}, {"c": 1}, "c", "type", ("null",)),
    ({"properties": {"a": {"items": {"minimum": 2}}}}, {"a": [2, 1]}, "a[1]", "minimum", ()),
    ({"maximum": 2}, 3, "", "maximum", ()), ({"maxLength": 1}, "ab", "", "maxLength", ()),
    ({"minLength": 1}, "", "", "minLength", ()), ({"maxItems": 0}, [1], "", "maxItems", ()),
    ({"minItems": 1}, [], "", "minItems", ()), ({"pattern": "^a"}, "b", "", "pattern", ()),
    ({"const": 1}, 2, "", "const", ()), ({"anyOf": [{"type": "null"}]}, 1, "", "anyOf", ()),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}, 1, "", "type", ("null",))])
def test_each_fault_is_an_issue(schema: dict[str, Any], value: Any, path: str, code: str,
                                allowed: tuple[str, ...]) -> None:
    (issue,) = schema_issues(schema, value)
    assert (issue.path, issue.code, issue.allowed) == (path, code, allowed)
    assert issue.message


def test_what_fits() -> None:
    assert schema_issues({}, object()) == ()
    assert schema_issues({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1, "b": None}) == ()


def test_the_root_stands_before_each_path() -> None:
    schema = {"properties": {"a": {"type": "null"}}, "type": "object"}
    assert [issue.path for issue in schema_issues(schema, {"a": 1}, "response")] == ["response.a"]
    assert [issue.path for issue in schema_issues(schema, 1, "response")] == ["response"]


@pytest.mark.parametrize("schema", [
    {"type": "integer"}, {"pattern": "^a"}, {"maxLength": 3}, {"enum": ["a"]}, {"const": 1}, {"anyOf": [False]},
    {"format": "x", "not": {}}])
def test_a_message_does_not_hold_the_value(schema: dict[str, Any]) -> None:
    (issue,) = schema_issues(schema, "secret" * 100)
    assert "secret" not in issue.message
    assert len(issue.message) < 400


def test_no_more_than_a_hundred_issues() -> None:
    assert len(schema_issues({"items": {"type": "null"}}, [1] * 1000)) == 100


@pytest.mark.parametrize(("schema", "path"), [
    ({"type": "text"}, "form.type"), ({"properties": []}, "form.properties"), ({"required": "a"}, "form.required"),
    ({"properties": {"a": {"minimum": "x"}}}, "form.properties.a.minimum"), ({"pattern": "("}, "form.pattern"),
    ({"multipleOf": 0}, "form.multipleOf"), ({"anyOf": []}, "form.anyOf"), ({"$ref": 1}, "form.$ref"),
    ({"items": [{}]}, "form.items")])
def test_a_schema_that_is_none(schema: Any, path: str) -> None:
    assert [(issue.path, issue.code) for issue in meta_issues(schema, "form")] == [(path, "bad_schema")]


@pytest.mark.parametrize("schema", [
    {}, {"type": "object"}, {"$ref": "#/$defs/n", "$defs": {"n": {}}}, {"$ref": "#n", "$defs": {"n": {"$anchor": "n"}}},
    {"properties": {"child": {"$ref": "#"}}},
    {"$id": "http://example.com/form", "$ref": "#/$defs/n", "$defs": {"n": {}}},
    {"properties": {"$ref": {"type": "string"}}}])
def test_a_schema_that_is_one(schema: dict[str, Any]) -> None:
    assert list(meta_issues(schema, "form")) == []


@pytest.mark.parametrize("reference", ["#/nowhere", "#nowhere", "other", "http://127.0.0.1:1/x", "file:///etc/passwd"])
@pytest.mark.parametrize("place", ["", "properties"])
def test_a_reference_to_another_place_is_refused(reference: str, place: str) -> None:
    schema = {place: {"a": {"$ref": reference}}} if place else {"$ref": reference}
    assert [(issue.path, issue.code) for issue in meta_issues(schema, "form")] == [("form", "bad_reference")]
    (issue,) = schema_issues(schema, {"a": 1}, "response")
    assert (issue.path, issue.code) == ("response", "bad_reference")


@pytest.mark.parametrize("schema", [
    {"$ref": "#/anyOf/first", "anyOf": [{}]}, {"$ref": "#/title/x", "title": "A title"},
    {"$ref": "#/maximum/x", "maximum": 3}, {"$id": "http://[none", "$ref": "x"}, {"$ref": "http://[none"}])
def test_a_reference_through_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    assert {issue.code for issue in meta_issues(schema, "form")} <= {"bad_reference", "bad_schema"}
    assert list(meta_issues(schema, "form"))


@pytest.fixture
def requests_made() -> Iterator[tuple[str, list[str]]]:
    """Run a web server that gives schemas; yield its address and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "string"}')

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_is_fetched(requests_made: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = requests_made
    stored = tmp_path / "schema.json"
    stored.write_text('{"type": "null"}', encoding="utf-8")
    for reference in (f"{address}/schema", stored.as_uri()):
        for schema in ({"$ref": reference}, {"$dynamicRef": reference}, {"$schema": reference, "$ref": reference},
                       {"$id": f"{address}/", "$ref": "schema"}):
            codes = {issue.code for issue in schema_issues(schema, 1)}
            assert codes == {"bad_reference"}
            assert list(meta_issues(schema, "form"))
    assert asked == []


@pytest.mark.parametrize(("schema", "value"), [
    pytest.param({"type": "text"}, 1, id="an unknown type"),
    pytest.param({"pattern": "("}, "x", id="a pattern that is none"),
    pytest.param({"properties": []}, {}, id="properties that are a list"),
    pytest.param({"minimum": "x"}, 1, id="a minimum that is no number"),
    pytest.param({"$ref": "#"}, 1, id="a reference that goes round"),
    pytest.param({"$ref": "#/properties/a", "properties": {"a": {"$ref": "#"}}}, 1, id="a longer way round"),
    pytest.param({"$ref": 1}, 1, id="a reference that is a number")])
def test_a_schema_that_cant_be_followed_is_an_issue(schema: dict[str, Any], value: Any) -> None:
    issues = schema_issues(schema, value, "input")
    assert issues
    assert all(issue.path.startswith("input") and len(issue.message) < 400 for issue in issues)


@pytest.mark.parametrize("word", ["not", "items", "properties"])
def test_schemas_and_values_may_be_as_deep_as_our_json(word: str) -> None:
    assert list(meta_issues(nested(word, DEEPEST), "form")) == []
    assert schema_issues({"additionalProperties": {"$ref": "#"}, "type": "object"}, nested("a", DEEPEST)) == ()


@repeatable
@given(SCHEMAS, JSON)
def test_whatever_the_schema_and_the_value(schema: Any, value: Any) -> None:
    assert all(isinstance(issue, Issue) for issue in meta_issues(schema, "form"))
    if isinstance(schema, dict):
        assert all(isinstance(issue, Issue) for issue in schema_issues(schema, value))
        if not list(meta_issues(schema, "form")) and "$ref" not in json.dumps(schema):
            assert all(issue.code not in ("bad_schema", "bad_reference") for issue in schema_issues(schema, value))
