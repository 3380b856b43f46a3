"""Shapes of the endpoints of standing holds."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema
from marshmallow.fields import Field

from web.api.schemas.control import reason
from web.api.schemas.fields import Identifier, Instant, RequestSchema, Success, ViewSchema
from workflow_service.domain.commands import ClockRule, HoldScope
from workflow_service.domain.standing_hold import HoldStatus

_WITH_TARGET = frozenset({HoldScope.TEMPLATE, HoldScope.AGENT})
_MISSING = str(Field.default_error_messages["required"])


class PlaceHoldSchema(RequestSchema):
    """What to hold."""

    scope = fields.Enum(HoldScope, by_value=fields.String, required=True)
    target = Identifier(load_default=None, allow_none=True, description=(
        "The id of the template or agent; not for the scopes `service` and `workspace`."))
    clock = fields.Enum(ClockRule, by_value=fields.String, load_default=None, allow_none=True, metadata={
        "description": "Whether deadlines stand still: `stop`, unless only an agent is held; there it is `run`."})
    reason = reason()

    @validates_schema
    def check_target(self, wanted: dict[str, Any], **_: Any) -> None:
        """Refuse a scope without its target, and a target that nothing is made of."""
        scope, target = wanted["scope"], wanted["target"]
        if scope in _WITH_TARGET and target is None:
            raise ValidationError(_MISSING, "target")
        if scope not in _WITH_TARGET and target is not None:
            raise ValidationError(f"A hold of the scope '{scope.value}' has no target.", "target")


class HoldSchema(ViewSchema):
    """A standing hold: nothing that belongs to its target starts until it is lifted."""

    hold_id = fields.String(required=True)
    scope = fields.Enum(HoldScope, by_value=fields.String, required=True)
    target = fields.String(required=True, allow_none=True)
    clock = fields.Enum(ClockRule, by_value=fields.String, required=True)
    reason = fields.String(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = Instant(required=True)
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in HoldStatus]), metadata={
        "description": "`applied` once every execution that it is for is held; `lifting` until all are let go, and "
        "then `lifted`."})


class HoldListSchema(ViewSchema):
    """The standing holds of the workspace, and those of the whole service."""

    holds = fields.List(fields.Nested(HoldSchema), required=True)


class LiftedHoldSchema(HoldSchema):
    """A hold that is being lifted."""

    success = Success()
