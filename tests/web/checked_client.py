"""A test client that holds every answer against the OpenAPI document."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from flask.testing import FlaskClient
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker
from werkzeug.test import TestResponse


class CheckedClient(FlaskClient):
    """Fails when an answer is not what the document says, or says nothing about."""

    _document: dict[str, Any] | None = None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request and check the answer."""
        response = super().open(*args, buffered=True, **kwargs)
        document = self.document()
        operation = _operation(document, response.request.method, response.request.path)
        if operation is not None:
            _check(document, operation, response)
        return response

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Send a GET."""
        return super().get(*args, **kwargs)

    def post(self, *args: Any, **kwargs: Any) -> Any:
        """Send a POST."""
        return super().post(*args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> Any:
        """Send a PUT."""
        return super().put(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Send a DELETE."""
        return super().delete(*args, **kwargs)

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self._document is None:
            self._document = super().open("/api/openapi.json").json or {}
        return self._document


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    templates = sorted(document["paths"], key=lambda template: "{" in template)  # a literal path goes first
    for template in templates:
        if re.fullmatch(re.sub(r"\{\w+\}", "[A-Za-z0-9_-]{1,128}", template), path):
            operation: dict[str, Any] | None = document["paths"][template].get(method.lower())
            return operation
    return None


def _check(document: dict[str, Any], operation: dict[str, Any], response: TestResponse) -> None:
    answers = operation["responses"]
    status = "default" if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR else str(response.status_code)
    assert status in answers, f"{operation['operationId']} does not document {status}"
    answer = answers[status]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    assert response.mimetype in answer["content"], f"{operation['operationId']} does not document {response.mimetype}"
    if response.mimetype in ("text/event-stream", "text/plain", "application/yaml"):
        return
    schema = {"allOf": [answer["content"]["application/json"]["schema"]], "components": document["components"]}
    OAS30ReadValidator(schema, format_checker=oas30_format_checker).validate(response.json)
