"""Shapes of the endpoints of signals."""

from __future__ import annotations

from marshmallow import fields

from web.api.schemas.fields import Instant, RequestSchema, ViewSchema, limit, offset


class SendSignalSchema(RequestSchema):
    """What to tell the execution."""

    payload = fields.Dict(load_default=dict, metadata={
        "description": "What the output of the block that takes it has under the name of the signal."})


class SignalQuerySchema(RequestSchema):
    """Which signals."""

    limit = limit(50)
    offset = offset()


class SentSignalSchema(ViewSchema):
    """A signal that is kept, or that a block has taken."""

    signal_id = fields.String(required=True)
    execution_id = fields.String(required=True)
    name = fields.String(required=True)
    sent_at = Instant(required=True)
    sent_by = fields.String(required=True)
    taken_by = fields.String(required=True, allow_none=True, attribute="taken_for", metadata={
        "description": "The block that it was taken for; null while it is kept."})


class SignalSchema(SentSignalSchema):
    """A signal with what it says."""

    payload = fields.Dict(required=True)


class SignalPageSchema(ViewSchema):
    """Some signals, and how many there are in all."""

    signals = fields.List(fields.Nested(SignalSchema), required=True)
    total = fields.Integer(required=True)
