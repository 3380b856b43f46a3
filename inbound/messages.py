"""A message: what it may say, and which request of the API it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from web.api.schemas.faults import issues_of
from web.api.schemas.fields import Identifier, RequestSchema, camel_case
from web.errors import MalformedJSON
from web.json_body import parse_json
from workflow_service.domain.errors import Invalid
from workflow_service.domain.idempotency import LONGEST_KEY

START_EXECUTION = "start_execution"
RESPOND_TO_APPROVAL = "respond_to_approval"
SEND_SIGNAL = "send_signal"
TYPES = (START_EXECUTION, RESPOND_TO_APPROVAL, SEND_SIGNAL)
_NAMED: Mapping[str, str] = {"approval_id": RESPOND_TO_APPROVAL, "execution_id": SEND_SIGNAL, "signal": SEND_SIGNAL}
"""What a message names besides its body -> the type of those that do."""
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
    execution_id: str | None = None
    """Whom the signal is for."""
    signal: str | None = None
    """Its name."""


class InboundMessageSchema(RequestSchema):
    """The shape of a message; the shape of its body is that of the request."""

    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    token = fields.String(required=True, validate=validate.Regexp(
        rf"[A-Za-z0-9_.-]{{1,{_LONGEST_TOKEN}}}\Z", error="This is no JSON Web Token."))
    id = fields.String(required=True, validate=validate.Regexp(
        _ID, error=f"An id has 1 to {LONGEST_KEY} printable ASCII characters."))
    body = fields.Dict(required=True)
    approval_id = Identifier()
    execution_id = Identifier()
    signal = Identifier()

    @validates_schema
    def check_names(self, message: Mapping[str, Any], **_: Any) -> None:
        """See that an answer, and nothing else, names what it answers, and a signal itself and whom it is for."""
        wrong = {camel_case(name): [f"A message of the type '{type}' has one, and no other has."]
                 for name, type in _NAMED.items() if (message["type"] == type) is not (name in message)}
        if wrong:
            raise ValidationError(wrong)

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
