"""What requests may say: one schema for each body and each query."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate, validates_schema
from marshmallow.exceptions import ValidationError

from sandbox.state_service.blocks import BlockReport
from sandbox.state_service.checkpoints import Checkpoint
from sandbox.state_service.context import ContextPatch
from sandbox.state_service.fields import (
    BLOCK_OR_POINT_ID,
    MAX_WHOLE,
    WORKSPACE_OR_PLAY_ID,
    Identifier,
    Instant,
    JsonObject,
    Text,
    Whole,
)
from sandbox.state_service.plays import Play, PlayFilter
from sandbox.state_service.recovery_points import RecoveryPoint

_NAME = 256
_STATUS = 64


class CamelCaseSchema(Schema):
    """A schema whose names are camelCase on the wire; a name that it does not know is an error."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field on the wire."""
        first, *others = field_name.split("_")
        field_obj.data_key = first + "".join(word.title() for word in others)


class PlaySchema(CamelCaseSchema):
    """Body of ``PUT .../plays/{playId}``."""

    template_id = Text(_NAME, required=True)
    template_version = Text(_NAME, required=True)
    status = Text(_STATUS, required=True)
    created_by = Text(_NAME, required=True)
    started_at = Instant(required=True)
    completed_at = Instant(load_default=None, allow_none=True)
    input = JsonObject(load_default=None, allow_none=True)
    context = JsonObject(load_default=None, allow_none=True)
    generation = Whole(0, required=True)

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> Play:
        return Play(**given)


class HumanInteractionSchema(CamelCaseSchema):
    """One entry of a checkpoint's ``humanInteractions``."""

    type = Text(_NAME, required=True)
    requested_at = Instant(required=True)
    responded_at = Instant(allow_none=True)
    response = JsonObject(allow_none=True)
    approver = Text(_NAME, allow_none=True)

    @post_load
    def _to_document(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {str(self.fields[name].data_key): value for name, value in given.items()}


class CheckpointSchema(CamelCaseSchema):
    """One entry of ``POST /checkpoints``."""

    workspace_id = Identifier(WORKSPACE_OR_PLAY_ID, required=True)
    execution_id = Identifier(WORKSPACE_OR_PLAY_ID, required=True)
    block_id = Identifier(BLOCK_OR_POINT_ID, required=True)
    epoch = Whole(1, required=True)
    fence = Whole(0, required=True)
    status = Text(_STATUS, required=True)
    agent_id = Text(_NAME, load_default=None, allow_none=True)
    input = JsonObject(load_default=None, allow_none=True)
    output = JsonObject(load_default=None, allow_none=True)
    error = JsonObject(load_default=None, allow_none=True)
    retry_count = Whole(0, required=True)
    started_at = Instant(load_default=None, allow_none=True)
    completed_at = Instant(load_default=None, allow_none=True)
    human_interactions = fields.List(fields.Nested(HumanInteractionSchema), load_default=list)

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> Checkpoint:
        return Checkpoint(**given)


class CheckpointsSchema(CamelCaseSchema):
    """Body of ``POST /checkpoints``."""

    checkpoints = fields.List(fields.Nested(CheckpointSchema), required=True,
                              validate=validate.Length(1, 1000))


class BlockReportSchema(CamelCaseSchema):
    """Body of ``PATCH .../blocks/{blockId}``."""

    progress = JsonObject(load_default=None, allow_none=True)
    status = Text(_STATUS, load_default=None, allow_none=True)
    source = Text(_NAME, required=True)

    @validates_schema
    def _says_something(self, given: dict[str, Any], **_: Any) -> None:
        if given.get("progress") is None and given.get("status") is None:
            raise ValidationError("Give a progress, a status or both.", "progress")

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> BlockReport:
        return BlockReport(**given)


class RecoveryPointSchema(CamelCaseSchema):
    """Body of ``PUT .../recovery-points/{pointId}``."""

    timestamp = Instant(required=True)
    state = JsonObject(required=True)
    completed_blocks = fields.List(Identifier(BLOCK_OR_POINT_ID), required=True)

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> RecoveryPoint:
        return RecoveryPoint(**given)


class ContextPatchSchema(CamelCaseSchema):
    """Body of ``PATCH .../context``."""

    context = JsonObject(required=True)
    if_version = Whole(0, load_default=None, allow_none=True)
    source = Text(_NAME, load_default="engine")

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> ContextPatch:
        return ContextPatch(**given)


class PlaysQuerySchema(CamelCaseSchema):
    """Query of ``GET .../plays``."""

    status = Text(_STATUS, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, MAX_WHOLE))

    @post_load
    def _to_value(self, given: dict[str, Any], **_: Any) -> PlayFilter:
        return PlayFilter(**given)


class ChangesQuerySchema(CamelCaseSchema):
    """Query of ``GET /changes``."""

    after = fields.Integer(load_default=0, validate=validate.Range(0, MAX_WHOLE))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))
    wait_ms = fields.Integer(load_default=0, validate=validate.Range(0, 10_000))
