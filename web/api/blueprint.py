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
from workflow_service.domain.errors import Invalid

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_OPTIONAL_JSON = "optional_json"
"""Where webargs finds a body that may be missing."""


class Decorator(Protocol):
    """Adds to an endpoint; what callers of the endpoint see of it stays."""

    def __call__(self, endpoint: Endpoint, /) -> Endpoint:
        """Return the endpoint with the addition."""


class StrictParser(FlaskParser):
    """Reads requests: strict JSON, unknown parameters are faults, every fault is named by its path."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}
    __location_map__ = {**FlaskParser.__location_map__, _OPTIONAL_JSON: "load_optional_json"}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the parsed body."""
        return json_body(req)

    def load_optional_json(self, req: Request, schema: Schema) -> Any:
        """Return the parsed body; an empty object if there is none."""
        return optional_json_body(req)

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, *, error_status_code: int | None,
                     error_headers: Mapping[str, str] | None) -> NoReturn:
        """Turn the faults that marshmallow found into the domain's."""
        raise Invalid("The request breaks the rules of this endpoint.", issues_of(error, schema)) from error


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A group of endpoints."""

    ARGUMENTS_PARSER = StrictParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING, _OPTIONAL_JSON: "application/json"}

    def body(self, schema: type[Schema], example: Mapping[str, Any]) -> Decorator:
        """Give the endpoint the body, read by a schema, as its first argument."""
        return cast(Decorator, self.arguments(schema, example=example))

    def optional_body(self, schema: type[Schema], example: Mapping[str, Any]) -> Decorator:
        """Do as ``body``; a request without a body is read like one with an empty object."""
        return cast(Decorator, self.arguments(schema, location=_OPTIONAL_JSON, required=False, example=example))

    def query(self, schema: type[Schema]) -> Decorator:
        """Give the endpoint the parameters of the address, read by a schema, as its first argument."""
        return cast(Decorator, self.arguments(schema, location="query"))

    def answer(self, status: int, schema: type[Schema], *, example: Mapping[str, Any] | None = None,
               headers: Mapping[str, Any] | None = None) -> Decorator:
        """Answer with this status and what the endpoint returns, written by a schema."""
        return cast(Decorator, self.response(status, schema, example=example, headers=headers))

    def or_answer(self, status: int, schema: type[Schema], description: str) -> Decorator:
        """Say that the endpoint, whose own answer this follows, may answer with another status as well."""
        return cast(Decorator, self.alt_response(status, schema=schema, description=description))

    def operation(self, operation_id: str, *errors: int) -> Decorator:
        """Name the endpoint for generated clients, and the errors that it may answer with besides the usual ones."""
        responses = {status: HTTPStatus(status).name for status in errors}
        return cast(Decorator, self.doc(operationId=operation_id, responses=responses))
