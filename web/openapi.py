"""The OpenAPI document, put together by flask-smorest from the endpoints and by hand from the domain's own schema."""

from __future__ import annotations

import re
from typing import Any

import flask_smorest
from apispec.ext.marshmallow.common import make_schema_key
from flask import Flask
from werkzeug.routing import BaseConverter

from web.api.resources import (
    approvals,
    control,
    executions,
    health,
    history,
    holds,
    metrics,
    signals,
    simulations,
    template_reviews,
    templates,
)
from web.api.schemas.errors import ErrorSchema
from web.api.schemas.simulations import (
    SimulationDirectivesSchema,
    TemplateSimulationSchema,
    simulation_components,
)
from web.api.schemas.templates import (
    StoredTemplateSchema,
    TemplateUpdateSchema,
    WorkflowTemplateSchema,
    template_components,
)
from web.auth import SECURITY_SCHEME
from workflow_service.domain.ids import ID_PATTERN

VERSION = "1.0.0"
"""Of the API, not of the service."""
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
           "description": "A token with the claims sub, role, workspace and exp, signed with HS256, or with RS256 "
                          "where the service knows a public key."}
_DESCRIPTION = """Workflows of agents, with people in the loop.

Every answer carries `X-Request-ID`. Every error has the same shape: `error` is a stable word for programs, `message` a
sentence for people, `errors` names each fault by its path."""


class IdConverter(BaseConverter):
    """An id within an address; anything else is no address of this API."""

    regex = ID_PATTERN.strip("^$")


class ServiceApi(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with our shape of errors."""

    ERROR_SCHEMA = ErrorSchema


def register_api(app: Flask) -> None:
    """Add all endpoints and the OpenAPI document to an application."""
    app.config.update(
        API_TITLE="Agentic Workflow Service", API_VERSION=VERSION, OPENAPI_VERSION="3.0.3", OPENAPI_URL_PREFIX="/api",
        API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION, "license": {"name": "Apache-2.0"}}})
    app.url_map.converters["id"] = IdConverter
    app.url_value_preprocessor(_snake_case)
    api = ServiceApi(app)
    api.register_converter(IdConverter, lambda _converter: {"type": "string", "pattern": ID_PATTERN})
    _describe_templates(api)
    for resources in (templates, template_reviews, simulations, executions, signals, control, history, holds, approvals,
                      health, metrics):
        api.register_blueprint(resources.blueprint)


def _describe_templates(api: ServiceApi) -> None:
    api.spec.components.security_scheme(SECURITY_SCHEME, _BEARER)
    for name, component in {**template_components(), **simulation_components()}.items():
        api.spec.components.schema(name, component)
    api.spec.components.schemas.pop("PaginationMetadata", None)  # flask-smorest's own pages, which we don't have
    references = api.ma_plugin.converter.refs  # how apispec knows that a schema has its component already
    references[make_schema_key(WorkflowTemplateSchema())] = "WorkflowTemplate"
    references[make_schema_key(TemplateUpdateSchema())] = "TemplateUpdate"
    references[make_schema_key(StoredTemplateSchema())] = "StoredTemplate"
    references[make_schema_key(SimulationDirectivesSchema())] = "SimulationDirectives"
    references[make_schema_key(TemplateSimulationSchema())] = "TemplateSimulation"


def _snake_case(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Give endpoints the parts of the address, which are camelCase in the document, under Python's names."""
    for name in list(values or {}):
        if values is not None:
            values[re.sub(r"([A-Z])", lambda capital: "_" + capital.group().lower(), name)] = values.pop(name)
