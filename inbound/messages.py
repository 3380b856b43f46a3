"""A message: what it may say, and which request of the API it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from web.api.schemas.faults import issues_of
from web.api.schemas.fields import Identifier, RequestSchema
from web.errors import MalformedJSON
from web.json_body import parse_json
from workflow_service.domain.errors import Invalid
from workflow_service.domain.idempotency import LONGEST_KEY

START_EXECUTION = "start_execution"
RESPOND_TO_APPROVAL = "respond_to_approval"
TYPES = (START_EXECUTION, RESPOND_TO_APPROVAL)
_LONGEST_TOKEN = 8192
_ID = rf"[\x20-\x7e]{{1,{LONGEST_KEY}}}\Z"


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """What somebody wants to be done."""

    type: str
    token: str = field(repr=False)
    """Says who wants it."""
    id: str
    """The sender's own; the same twice is the same message."""
    body: Mapping[str, Any]
    """Of the request."""
    approval_id: str | None = None
    """What is answered."""


class InboundMessageSchema(RequestSchema):
    """The shape of a message; the shape of its body is that of the request."""

    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    token = fields.String(required=True, validate=validate.Regexp(
        rf"[A-Za-z0-9_.-]{{1,{_LONGEST_TOKEN}}}\Z", error="This is no JSON Web Token."))
    id = fields.String(required=True, validate=validate.Regexp(
        _ID, error=f"An id has 1 to {LONGEST_KEY} printable ASCII characters."))
    body = fields.Dict(required=True)
    approval_id = Identifier()

    @validates_schema
    def check_approval(self, message: Mapping[str, Any], **_: Any) -> None:
        """See that an answer, and nothing else, names what it answers."""
        if (message["type"] == RESPOND_TO_APPROVAL) is not ("approval_id" in message):
            raise ValidationError(f"A message of the type '{RESPOND_TO_APPROVAL}' has an approvalId, and no other has.",
                                  "approvalId")

    @post_load
    def to_message(self, message: dict[str, Any], **_: Any) -> InboundMessage:
        """Return the message."""
        return InboundMessage(**message)


def id_of(raw: bytes) -> str | None:
    """Return the id of what was sent, even if the rest of it is wrong; None if it has none that follows the rules."""
    try:
        said = parse_json(raw)
    except MalformedJSON:
        return None
    found = said.get("id") if isinstance(said, dict) else None
    return found if isinstance(found, str) and re.match(_ID, found) else None


def read_message(raw: bytes) -> InboundMessage:
    """Return what was sent.

    Raises:
        MalformedJSON: it can't be read.
        Invalid: it is no such message.
    """
    schema = InboundMessageSchema()
    said = parse_json(raw)
    try:
        message: InboundMessage = schema.load(said)
        return message
    except ValidationError as error:
        raise Invalid("The message breaks the rules of the queue.",
                      issues_of(ValidationError({"message": error.messages}), schema)) from error
