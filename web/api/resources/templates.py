"""Templates: describe workflows."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.paging import LINK, next_link
from web.api.preconditions import ETAG, etag, expected_version, takes_if_match
from web.api.schemas import examples
from web.api.schemas.templates import (
    DeletedSchema,
    StoredTemplateSchema,
    TemplatePageSchema,
    TemplateQuerySchema,
    TemplateUpdateSchema,
    TemplateVersionsSchema,
    VersionQuerySchema,
    WorkflowTemplateSchema,
)
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.commands import TemplateFilter

LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
blueprint = Blueprint("templates", __name__, url_prefix="/api/v1/templates", description="Describe workflows.")


@blueprint.route("")
class Templates(MethodView):
    """All templates of the workspace."""

    @requires("templates:write")
    @blueprint.operation("createTemplate", 400, 409, 413, 415, 422)
    @blueprint.template_body(WorkflowTemplateSchema, examples.TEMPLATE, "WorkflowTemplate")
    @blueprint.answer(201, StoredTemplateSchema, example=examples.STORED_TEMPLATE, headers={**LOCATION, **ETAG})
    def post(self, document: dict[str, Any]) -> tuple[Any, dict[str, str]]:
        """Store a new template."""
        template = service().templates.create(current_user(), document)
        address = url_for("templates.Template", templateId=template["templateId"])
        return template, {"Location": address, **etag(template["version"])}

    @requires("templates:read")
    @blueprint.operation("listTemplates")
    @blueprint.query(TemplateQuerySchema)
    @blueprint.answer(200, TemplatePageSchema, headers=LINK)
    def get(self, wanted: TemplateFilter) -> tuple[dict[str, Any], dict[str, str]]:
        """List the latest versions of templates, the newest template first."""
        page = service().templates.page(current_user(), wanted)
        return ({"templates": page.items, "total": page.total, "nextCursor": page.next_cursor},
                next_link(page.next_cursor))


@blueprint.route("/<id:templateId>")
class Template(MethodView):
    """One template."""

    @requires("templates:read")
    @blueprint.operation("getTemplate", 404)
    @blueprint.query(VersionQuerySchema)
    @blueprint.answer(200, StoredTemplateSchema, example=examples.STORED_TEMPLATE, headers=ETAG)
    def get(self, query: dict[str, Any], template_id: str) -> tuple[Any, dict[str, str]]:
        """Return one version of a template."""
        template = service().templates.get(current_user(), template_id, query["version"])
        return template, etag(template["version"])

    @requires("templates:write")
    @blueprint.operation("updateTemplate", 400, 404, 409, 412, 413, 415, 422)
    @takes_if_match
    @blueprint.template_body(TemplateUpdateSchema, examples.TEMPLATE_UPDATE, "TemplateUpdate")
    @blueprint.answer(200, StoredTemplateSchema, example=examples.STORED_TEMPLATE, headers=ETAG)
    def put(self, document: dict[str, Any], template_id: str) -> tuple[Any, dict[str, str]]:
        """Store a new version of a template; without a version in the body it gets the next patch version."""
        template = service().templates.update(current_user(), template_id, document, expected_version())
        return template, etag(template["version"])

    @requires("templates:write")
    @blueprint.operation("deleteTemplate", 404, 409)
    @blueprint.answer(200, DeletedSchema)
    def delete(self, template_id: str) -> dict[str, Any]:
        """Delete a template that no execution runs with; what ran with it keeps its version."""
        service().engine.template_life.delete(current_user(), template_id)
        return {}


@blueprint.route("/<id:templateId>/publish")
class PublishedTemplate(MethodView):
    """A template that can be started."""

    @requires("templates:write")
    @blueprint.operation("publishTemplate", 404, 409)
    @blueprint.answer(200, StoredTemplateSchema, example=examples.STORED_TEMPLATE, headers=ETAG)
    def post(self, template_id: str) -> tuple[Any, dict[str, str]]:
        """Let the latest version of a template be started, also if the template was archived."""
        template = service().engine.template_life.publish(current_user(), template_id)
        return template, etag(template["version"])


@blueprint.route("/<id:templateId>/archive")
class ArchivedTemplate(MethodView):
    """A template that is put away."""

    @requires("templates:write")
    @blueprint.operation("archiveTemplate", 404, 409)
    @blueprint.answer(200, StoredTemplateSchema, headers=ETAG)
    def post(self, template_id: str) -> tuple[Any, dict[str, str]]:
        """Let nothing of a template be started, and hide it from lists; what runs goes on."""
        template = service().engine.template_life.archive(current_user(), template_id)
        return template, etag(template["version"])


@blueprint.route("/<id:templateId>/versions")
class TemplateVersions(MethodView):
    """The versions of one template."""

    @requires("templates:read")
    @blueprint.operation("listTemplateVersions", 404)
    @blueprint.answer(200, TemplateVersionsSchema)
    def get(self, template_id: str) -> dict[str, Any]:
        """List the versions of a template, the oldest first."""
        return {"versions": service().templates.versions(current_user(), template_id)}
