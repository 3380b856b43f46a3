"""Shapes of the endpoints that look at templates closely."""

from __future__ import annotations

from marshmallow import fields, validate

from web.api.schemas.fields import RequestSchema, Text, ViewSchema
from web.template_body import FORMATS
from workflow_service.domain.template_diff import ChangeKind


class DiffQuerySchema(RequestSchema):
    """Which two versions."""

    from_ = Text(64, required=True, metadata={"description": "The older version."})
    to = Text(64, load_default=None, metadata={"description": "The newer version; the latest if none is named."})


class ExportQuerySchema(RequestSchema):
    """Which version, and as what."""

    format = fields.String(load_default="yaml", validate=validate.OneOf(FORMATS))
    version = Text(64, load_default=None, metadata={"description": "The latest if none is named."})


class ChangeSchema(ViewSchema):
    """One place that differs."""

    path = fields.String(required=True, metadata={"description": "JSON pointer into the newer version; of what was "
                                                                 "removed, into the older one."})
    kind = fields.Enum(ChangeKind, by_value=True, required=True)
    old = fields.Raw(required=True, allow_none=True, metadata={"description": "null of what was added."})
    new = fields.Raw(required=True, allow_none=True, metadata={"description": "null of what was removed."})


class ChangedBlockSchema(ViewSchema):
    """A block that both versions have, and what differs in it."""

    block_id = fields.String(required=True)
    path = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class TemplateDiffSchema(ViewSchema):
    """What differs between two versions of a template."""

    template_id = fields.String(required=True)
    from_ = fields.String(required=True, attribute="old")
    to = fields.String(required=True, attribute="new")
    added_blocks = fields.List(fields.Nested(ChangeSchema), required=True, attribute="diff.added_blocks")
    removed_blocks = fields.List(fields.Nested(ChangeSchema), required=True, attribute="diff.removed_blocks")
    changed_blocks = fields.List(fields.Nested(ChangedBlockSchema), required=True, attribute="diff.changed_blocks")
    changed_settings = fields.List(fields.Nested(ChangeSchema), required=True, attribute="diff.changed_settings",
                                   metadata={"description": "Whatever differs outside the blocks."})
    order_changed = fields.Boolean(required=True, attribute="diff.order_changed", metadata={
        "description": "True if the blocks that both have stand in another order."})


class ValidationIssueSchema(ViewSchema):
    """One fault of a template."""

    path = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    allowed = fields.List(fields.String(), required=True)


class ValidationSchema(ViewSchema):
    """What a template would fail with now."""

    valid = fields.Boolean(required=True)
    issues = fields.List(fields.Nested(ValidationIssueSchema), required=True)


class LineSchema(ViewSchema):
    """A chain of tasks."""

    runs = fields.List(fields.List(fields.String()), required=True, metadata={
        "description": "Tasks one after the other; each does its blocks in place, one after the other."})


class SegmentSchema(ViewSchema):
    """What is sent to workers as one message."""

    wave = fields.Integer(required=True, metadata={"description": "From 1: when its turn comes."})
    lines = fields.List(fields.Nested(LineSchema), required=True, metadata={"description": "Side by side."})
    join = fields.Nested(LineSchema, required=True, allow_none=True,
                         metadata={"description": "What runs when all lines have ended, if it is sent with them."})


class PlanSchema(ViewSchema):
    """In what order a template would run, as if every branch were taken and nothing failed."""

    template_id = fields.String(required=True, attribute="template.template_id")
    version = fields.String(required=True, attribute="template.version")
    block_count = fields.Integer(required=True)
    segments = fields.List(fields.Nested(SegmentSchema), required=True, attribute="outline.segments")
    critical_path = fields.List(fields.String(), required=True, attribute="outline.critical_path", metadata={
        "description": "The way that takes longest; that of the most blocks if a duration is not known."})
    widest_level = fields.Integer(required=True, attribute="outline.widest_level")
    max_parallel_blocks = fields.Integer(required=True, allow_none=True, attribute="template.max_parallel_blocks",
                                         metadata={"description": "null: the service's default."})
    gates = fields.List(fields.String(), required=True, attribute="outline.gates",
                        metadata={"description": "The blocks where a person is asked."})
    only_after_failures = fields.List(
        fields.String(), required=True, attribute="outline.only_after_failures",
        metadata={"description": "The blocks that run only if another one fails; they have no turn."})
    estimated_duration = fields.Integer(required=True, allow_none=True, attribute="estimated_duration_ms", metadata={
        "description": "Milliseconds, from `metadata.estimatedDuration` of the blocks, without the time that people "
                       "take; null unless every block says it."})
