"""Shapes of the approval endpoints."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from web.api.schemas.fields import Identifier, Instant, RequestSchema, StrictBoolean, Text, ViewSchema, limit
from workflow_service.domain.commands import ApprovalFilter
from workflow_service.domain.statuses import ApprovalStatus
from workflow_service.domain.template_schema import TEMPLATE_SCHEMA

_TYPES: list[str] = (TEMPLATE_SCHEMA["properties"]["blocks"]["items"]["properties"]["humanInLoop"]["properties"]["type"]
                     ["enum"])


class ApprovalQuerySchema(RequestSchema):
    """Which pending approvals."""

    execution_id = Identifier()
    block_id = Identifier()
    type = fields.String(validate=validate.OneOf(_TYPES))
    limit = limit(100)

    @post_load
    def to_filter(self, query: dict[str, Any], **_: Any) -> ApprovalFilter:
        """Return the filter."""
        return ApprovalFilter(**query)


class RespondToApprovalSchema(RequestSchema):
    """An answer to a request."""

    approved = StrictBoolean(required=True)
    response = fields.Dict(load_default=dict, metadata={"description": "Fits the request's `inputSchema`."})
    comments = Text(10_000, shortest=0, load_default=None, allow_none=True)


class ApprovalSchema(ViewSchema):
    """A request to a person about one block."""

    approval_id = fields.String(required=True)
    workspace_id = fields.String(required=True)
    execution_id = fields.String(required=True)
    block_id = fields.String(required=True)
    type = fields.String(required=True, validate=validate.OneOf(_TYPES))
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in ApprovalStatus]))
    title = fields.String(required=True)
    payload = fields.Dict(required=True, metadata={"description": "The block's input: what is to be approved."})
    input_schema = fields.Dict(required=True, metadata={"description": "JSON Schema of the response; empty for none."})
    assigned_to = fields.String(required=True, metadata={"description": "The role that may respond."})
    escalation_level = fields.Integer(required=True)
    requested_at = Instant(required=True)
    overdue_at = Instant(required=True, metadata={"description": "When it is given to the role above."})
    responded_at = Instant(required=True, allow_none=True)
    approver = fields.String(required=True, allow_none=True)
    response = fields.Dict(required=True, allow_none=True)
    comments = fields.String(required=True, allow_none=True)


class ApprovalListSchema(ViewSchema):
    """Approvals, the oldest first."""

    approvals = fields.List(fields.Nested(ApprovalSchema), required=True)


class SuccessSchema(ViewSchema):
    """It is done."""

    success = fields.Boolean(required=True)
