"""Reviews: look at templates closely, and change nothing."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.preconditions import ETAG, etag
from web.api.schemas.template_reviews import (
    DiffQuerySchema,
    ExportQuerySchema,
    PlanSchema,
    TemplateDiffSchema,
    ValidationSchema,
)
from web.api.schemas.templates import VersionQuerySchema, WorkflowTemplateSchema
from web.auth import current_user, requires
from web.context import service
from web.template_body import template_file
from workflow_service.services.template_reviews import ComparedVersions, PlannedVersion

blueprint = Blueprint("reviews", __name__, url_prefix="/api/v1/templates", description="Look at templates closely.")


@blueprint.route("/<id:templateId>/diff")
class TemplateDiff(MethodView):
    """What differs between two versions."""

    @requires("templates:read")
    @blueprint.operation("diffTemplate", 404)
    @blueprint.query(DiffQuerySchema)
    @blueprint.answer(200, TemplateDiffSchema)
    def get(self, query: dict[str, Any], template_id: str) -> ComparedVersions:
        """Compare two versions of a template."""
        return service().engine.template_reviews.compare(current_user(), template_id, query["from_"], query["to"])


@blueprint.route("/<id:templateId>/validate")
class TemplateValidation(MethodView):
    """Whether a template could run now."""

    @requires("templates:read")
    @blueprint.operation("validateTemplate", 404)
    @blueprint.query(VersionQuerySchema)
    @blueprint.answer(200, ValidationSchema)
    def post(self, query: dict[str, Any], template_id: str) -> dict[str, Any]:
        """Check a template against the agents that there are now."""
        issues = service().engine.template_reviews.validate(current_user(), template_id, query["version"])
        return {"valid": not issues, "issues": issues}


@blueprint.route("/<id:templateId>/plan")
class TemplatePlan(MethodView):
    """In what order a template would run."""

    @requires("templates:read")
    @blueprint.operation("planTemplate", 404)
    @blueprint.query(VersionQuerySchema)
    @blueprint.answer(200, PlanSchema)
    def post(self, query: dict[str, Any], template_id: str) -> PlannedVersion:
        """Show how a template would run, without running it."""
        return service().engine.template_reviews.plan(current_user(), template_id, query["version"])


@blueprint.route("/<id:templateId>/export")
class TemplateExport(MethodView):
    """A template as a file."""

    @requires("templates:read")
    @blueprint.operation("exportTemplate", 404)
    @blueprint.query(ExportQuerySchema)
    @blueprint.answer(200, WorkflowTemplateSchema, headers=ETAG)
    @blueprint.or_yaml(WorkflowTemplateSchema, "What an author writes, always the same bytes for the same version.")
    def get(self, query: dict[str, Any], template_id: str) -> Response:
        """Return what the author wrote of a version, to be kept in a file and imported again."""
        document = service().engine.template_reviews.document(current_user(), template_id, query["version"])
        return template_file(document, query["format"], etag(document["version"]))
