"""Holds HTTP exchanges against a contract in ``docs/contracts``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

_CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"


class Contract:
    """An OpenAPI 3.0 document that knows which answers it allows."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take the document."""
        self._document = document
        self._paths = {re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + r"\Z"): template
                       for template in document["paths"]}

    @classmethod
    def named(cls, name: str) -> Contract:
        """Read ``docs/contracts/<name>.yaml``."""
        return cls(yaml.safe_load((_CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8")))

    @property
    def operations(self) -> set[tuple[str, str]]:
        """Method and path template of every operation."""
        return {(method.upper(), template) for template, item in self._document["paths"].items()
                for method in item if method != "parameters"}

    def check(self, answer: requests.Response) -> None:
        """Fail if the contract does not allow the answer, or not the request that the service took.

        Raises:
            AssertionError: it does not know the path, the method or the status.
            jsonschema.ValidationError: a body is not as it says.
        """
        operation = self._operation(str(answer.request.method), unquote(urlsplit(answer.url).path))
        response = operation["responses"].get(str(answer.status_code))
        assert response, f"The contract has no {answer.status_code} for {answer.request.method} {answer.url}."
        self._check_body(self._resolved(response), answer.json())
        if answer.status_code == HTTPStatus.OK and "requestBody" in operation:
            self._check_body(operation["requestBody"], json.loads(answer.request.body or b"null"))

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        # a literal part of a path goes before a parameter, so the longest template is the one that is meant
        matching = sorted((template for pattern, template in self._paths.items() if pattern.match(path)),
                          key=len)
        assert matching, f"The contract has no path {path}."
        operation: dict[str, Any] = self._document["paths"][matching[-1]].get(method.lower(), {})
        assert operation, f"The contract has no {method} {matching[-1]}."
        return operation

    def _check_body(self, described: Mapping[str, Any], body: Any) -> None:
        schema = {**described["content"]["application/json"]["schema"],
                  "components": self._document["components"]}
        if "$ref" in schema:
            # beside a reference nothing else is read
            schema = {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
        OAS30Validator(schema, format_checker=oas30_format_checker).validate(body)

    def _resolved(self, described: Mapping[str, Any]) -> Mapping[str, Any]:
        name = described.get("$ref", "").removeprefix("#/components/responses/")
        return self._document["components"]["responses"][name] if name else described
