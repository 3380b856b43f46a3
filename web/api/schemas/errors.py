"""The shape of every error answer."""

from __future__ import annotations

from marshmallow import Schema, fields


class FaultSchema(Schema):
    """One fault in what was sent."""

    code = fields.String(required=True, metadata={"description": "A stable word."})
    message = fields.String(required=True, metadata={"description": "A sentence for a person."})
    allowed = fields.List(fields.String(), required=True, metadata={"description": "What would have been right."})


class ErrorSchema(Schema):
    """Why a request was not done."""

    code = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    status = fields.String(required=True, metadata={"description": "The name of the HTTP status."})
    error = fields.String(required=True, metadata={"description": "A stable word for programs."})
    message = fields.String(required=True, metadata={"description": "A sentence for a person."})
    requestId = fields.String(required=True, metadata={"description": "What to ask the operators about."})
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(FaultSchema)),
                         metadata={"description": "Faults by their path in what was sent."})
