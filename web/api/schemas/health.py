"""Shapes of the health endpoints."""

from __future__ import annotations

from marshmallow import fields, validate

from web.api.schemas.fields import ViewSchema


class HealthSchema(ViewSchema):
    """The process is alive."""

    status = fields.String(required=True, validate=validate.Equal("alive"))


class ReadinessSchema(ViewSchema):
    """Whether everything that is needed answers."""

    status = fields.String(required=True, validate=validate.OneOf(["ready", "unavailable"]))
    dependencies = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)
