"""The blueprint of this API: flask-smorest's with our strict parser, and with types on what endpoints use of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn, Protocol, TypeVar, cast

import flask_smorest
from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from web.api.schemas.faults import issues_of
from web.json_body import json_body, optional_json_body
from web.template_body import YAML, template_body
from workflow_service.domain.errors import Invalid

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_TEMPLATE = "template"
"""Where webargs finds a template, which may be JSON or YAML."""
_OPTIONAL_JSON = "optional_json"
"""Where webargs finds a body that may be missing."""
_HEADERS = "headers"
"""Where the headers that an endpoint heeds stand in what flask-smorest knows of it."""


class Decorator(Protocol):
    """Adds to an endpoint; what callers of the endpoint see of it stays."""

    def __call__(self, endpoint: Endpoint, /) -> Endpoint:
        """Return the endpoint with the addition."""


class StrictParser(FlaskParser):
    """Reads requests: strict JSON, unknown parameters are faults, every fault is named by its path."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}
    __location_map__ = {**FlaskParser.__location_map__, _OPTIONAL_JSON: "load_optional_json",
                        _TEMPLATE: "load_template"}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the parsed body."""
        return json_body(req)

    def load_optional_json(self, req: Request, schema: Schema) -> Any:
        """Return the parsed body; an empty object if there is none."""
        return optional_json_body(req)

    def load_template(self, req: Request, schema: Schema) -> Any:
        """Return the parsed body, JSON or YAML."""
        return template_body(req)

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, *, error_status_code: int | None,
                     error_headers: Mapping[str, str] | None) -> NoReturn:
        """Turn the faults that marshmallow found into the domain's."""
        raise Invalid("The request breaks the rules of this endpoint.", issues_of(error, schema)) from error


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A group of endpoints."""

    ARGUMENTS_PARSER = StrictParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING, _OPTIONAL_JSON: "application/json",
        _TEMPLATE: "application/json"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Let the document tell of headers."""
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_with_headers)

    def body(self, schema: type[Schema], example: Mapping[str, Any]) -> Decorator:
        """Give the endpoint the body, read by a schema, as its first argument."""
        return cast(Decorator, self.arguments(schema, example=example))

    def optional_body(self, schema: type[Schema], example: Mapping[str, Any]) -> Decorator:
        """Do as ``body``; a request without a body is read like one with an empty object."""
        return cast(Decorator, self.arguments(schema, location=_OPTIONAL_JSON, required=False, example=example))

    def template_body(self, schema: type[Schema], example: Mapping[str, Any], component: str) -> Decorator:
        """Do as ``body``; the body may be YAML as well.

        Args:
            component: the name of the schema in the OpenAPI document.
        """
        also = self.doc(requestBody={"content": {YAML: {"schema": {"$ref": f"#/components/schemas/{component}"}}}})
        read = self.arguments(schema, location=_TEMPLATE, example=example)
        return cast(Decorator, lambda endpoint: also(read(endpoint)))

    def query(self, schema: type[Schema]) -> Decorator:
        """Give the endpoint the parameters of the address, read by a schema, as its first argument."""
        return cast(Decorator, self.arguments(schema, location="query"))

    def answer(self, status: int, schema: type[Schema], *, example: Mapping[str, Any] | None = None,
               headers: Mapping[str, Any] | None = None) -> Decorator:
        """Answer with this status and what the endpoint returns, written by a schema."""
        return cast(Decorator, self.response(status, schema, example=example, headers=headers))

    def or_answer(self, status: int, schema: type[Schema], description: str,
                  headers: Mapping[str, Any] | None = None) -> Decorator:
        """Say that the endpoint, whose own answer this follows, may answer with another status as well."""
        return cast(Decorator, self.alt_response(status, schema=schema, description=description, headers=headers))

    def stream(self) -> Decorator:
        """Say that the endpoint may answer with server-sent events instead."""
        return cast(Decorator, self.alt_response(
            200, schema={"type": "object"}, content_type="text/event-stream",
            description="A page, or with `follow=true` server-sent events: each has the sequence number as its `id` "
                        "and an entry as in the page as its `data`; the last one is named `end` and has the `status` "
                        "of the execution."))

    def text_answer(self, description: str) -> Decorator:
        """Say that the endpoint answers with plain text."""
        return cast(Decorator, self.response(200, {"type": "string"}, content_type="text/plain",
                                             description=description))

    def or_yaml(self, schema: type[Schema], description: str) -> Decorator:
        """Say that the endpoint may answer with YAML instead."""
        return cast(Decorator, self.alt_response(200, schema=schema, content_type=YAML, description=description))

    @staticmethod
    def header(parameter: Mapping[str, Any]) -> Decorator:
        """Say that the endpoint heeds a header.

        Not by ``doc``: parameters that are named there take the place of those that schemas describe.
        """
        def decorate(endpoint: Endpoint) -> Endpoint:
            documented = flask_smorest.Blueprint.doc()(endpoint)
            documented._apidoc.setdefault(_HEADERS, []).append(dict(parameter))
            return cast(Endpoint, documented)

        return decorate

    def operation(self, operation_id: str, *errors: int) -> Decorator:
        """Name the endpoint for generated clients, and the errors that it may answer with besides the usual ones."""
        responses = {status: HTTPStatus(status).name for status in errors}
        return cast(Decorator, self.doc(operationId=operation_id, responses=responses))


def _with_headers(document: dict[str, Any], known: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Add the headers that an endpoint heeds to what the document says of it."""
    if _HEADERS not in known:
        return document
    return {**document, "parameters": [*document.get("parameters", ()), *known[_HEADERS]]}
