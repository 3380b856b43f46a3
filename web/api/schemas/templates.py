"""Shapes of the template endpoints.

The structure of a template is described once, by the domain's ``TEMPLATE_SCHEMA``, and checked by the service. Here it
is only cut into named parts for the OpenAPI document, so that generated clients get classes with good names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from web.api.schemas.fields import Instant, RequestSchema, Success, Text, ViewSchema, limit, offset
from workflow_service.domain.commands import TemplateFilter
from workflow_service.domain.paging import MAX_CURSOR, Place
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA
from workflow_service.domain.template_status import SHOWN, WRITABLE, TemplateStatus

Component = dict[str, Any]


class DocumentSchema(Schema):
    """A document that is passed on as it is, in its order: somebody else checks it."""

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:
        """Return the document if it is an object."""
        if not isinstance(data, dict):
            raise ValidationError("This has to be a JSON object.")
        return data

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the document."""
        return obj


class WorkflowTemplateSchema(DocumentSchema):
    """What an author writes."""


class TemplateUpdateSchema(DocumentSchema):
    """What an author writes of a template that there is: its id, and the version, may be left out."""


class StoredTemplateSchema(DocumentSchema):
    """What an author wrote, and when."""


class TemplateQuerySchema(RequestSchema):
    """Which templates."""

    category = Text(64)
    tags = fields.List(Text(64), metadata={"description": "All of which a template must have."})
    search = Text(200, metadata={"description": "Found in name or description, whatever the case."})
    status = fields.Enum(TemplateStatus, by_value=True, validate=validate.OneOf(SHOWN), metadata={
        "enum": [status.value for status in SHOWN], "description": "Archived ones are listed only if asked for."})
    cursor = Text(MAX_CURSOR, metadata={"description": "The `nextCursor` of the page before."})
    limit = limit(50)
    offset = offset()

    @post_load
    def to_filter(self, query: dict[str, Any], **_: Any) -> TemplateFilter:
        """Return the filter."""
        cursor, tags = query.pop("cursor", None), tuple(query.pop("tags", ()))
        return TemplateFilter(**query, tags=tags, after=None if cursor is None else Place.of_cursor(cursor))


class DeletedSchema(ViewSchema):
    """A template that is gone."""

    success = Success()


class VersionQuerySchema(RequestSchema):
    """Which version of a template."""

    version = Text(64, load_default=None, metadata={"description": "The latest if none is named."})


class TemplatePageSchema(ViewSchema):
    """Some templates, and how many there are in all."""

    templates = fields.List(fields.Nested(StoredTemplateSchema), required=True)
    total = fields.Integer(required=True)
    next_cursor = fields.String(required=True, allow_none=True, metadata={
        "description": "What `cursor` has to be for the next page; null if this is the last."})


class TemplateVersionSchema(ViewSchema):
    """When a version was stored, and by whom."""

    version = fields.String(required=True)
    created_at = Instant(required=True)
    created_by = fields.String(required=True)
    status = fields.Enum(TemplateStatus, by_value=True, required=True, metadata={
        "type": "string", "enum": [status.value for status in WRITABLE]})


class TemplateVersionsSchema(ViewSchema):
    """All versions of a template."""

    versions = fields.List(fields.Nested(TemplateVersionSchema), required=True)


def template_components() -> Mapping[str, Component]:
    """Return the OpenAPI components that describe templates, by name."""
    parts = {name: _part(path) for name, path in _PARTS.items()}
    template: Component = _with_references(TEMPLATE_SCHEMA, parts)
    stored = {**template, "properties": {**template["properties"], **_STORED}}
    stored["required"] = [*template["required"], *_STORED]
    update = {**template, "required": [name for name in template["required"] if name not in _KNOWN]}
    named = {name: _with_references(part, parts, itself=True) for name, part in parts.items()}
    return {"WorkflowTemplate": template, "TemplateUpdate": update, "StoredTemplate": stored, **named}


_INSTANT = {"type": "string", "format": "date-time"}
_STORED: Mapping[str, Component] = {
    "status": {"type": "string", "enum": [status.value for status in SHOWN],
               "description": "Of this version; archived is the template with all its versions."},
    "createdAt": {**_INSTANT, "description": "When the template was first stored."},
    "updatedAt": {**_INSTANT, "description": "When this version was stored."},
    "createdBy": {"type": "string", "description": "Who stored the template first."},
    "updatedBy": {"type": "string", "description": "Who stored this version."},
}
_KNOWN = frozenset({"templateId", "version"})
"""What an update need not say."""
_PARTS: Mapping[str, tuple[str, ...]] = {
    "TemplateBlock": ("blocks", "[]"),
    "Conditions": ("blocks", "[]", "conditions"),
    "Branch": ("blocks", "[]", "conditions", "branches", "[]"),
    "HumanInLoop": ("blocks", "[]", "humanInLoop"),
    "RetryPolicy": ("blocks", "[]", "retryPolicy"),
    "ItemMap": ("blocks", "[]", "map"),
    "InnerItemMap": ("blocks", "[]", "map", "map"),
    "Loop": ("blocks", "[]", "loop"),
    "SubWorkflow": ("blocks", "[]", "workflow"),
    "Timer": ("blocks", "[]", "wait"),
    "SignalWait": ("blocks", "[]", "waitFor"),
    "EndOfExecution": ("blocks", "[]", "end"),
    "JoinPolicy": ("blocks", "[]", "joinPolicy"),
    "FailurePolicy": ("blocks", "[]", "onFailure"),
    "CriticalSection": ("blocks", "[]", "mutex"),
    "GlobalSettings": ("globalSettings",),
    "TemplateMetadata": ("metadata",),
    "BlockMetadata": ("blocks", "[]", "metadata"),
}


def _part(path: tuple[str, ...]) -> Component:
    part = TEMPLATE_SCHEMA
    for step in path:
        part = part["items"] if step == "[]" else part["properties"][step]
    return part


def _with_references(schema: Any, parts: Mapping[str, Component], itself: bool = False) -> Any:
    """Return a schema in which each named part is a reference."""
    if isinstance(schema, list):
        return [_with_references(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = next((name for name, part in parts.items() if part == schema), None)
    if name and not itself:
        return {"$ref": f"#/components/schemas/{name}"}
    return {key: _with_references(value, parts) for key, value in schema.items()}
