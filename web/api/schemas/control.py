"""Shapes of the endpoints by which an operator controls executions."""

from __future__ import annotations

from marshmallow import fields, validate

from web.api.schemas.executions import CLOCKS, BlockAtWorkSchema
from web.api.schemas.fields import Identifier, RequestSchema, StrictBoolean, Success, Text, ViewSchema
from workflow_service.domain.commands import LATEST, ORIGINAL, CancelMode, ClockRule
from workflow_service.domain.statuses import ExecutionStatus

_DEFINITION = rf"^({ORIGINAL}|{LATEST}|[0-9]+\.[0-9]+\.[0-9]+)$"
_LONGEST_VERSION = 64


def reason() -> Text:
    """Return the field that says why, for the record."""
    return Text(500, load_default=None, allow_none=True, metadata={"description": "For the record."})


def clock() -> fields.Enum[ClockRule]:
    """Return the field that says what becomes of deadlines."""
    return fields.Enum(ClockRule, by_value=fields.String, load_default=ClockRule.STOP,
                       metadata={"description": "Whether deadlines stand still meanwhile, or run on."})


class PauseSchema(RequestSchema):
    """How to pause."""

    clock = clock()
    reason = reason()


class CancelSchema(RequestSchema):
    """How to cancel."""

    mode = fields.Enum(CancelMode, by_value=fields.String, load_default=CancelMode.GRACEFUL, metadata={
        "description": "`graceful` lets blocks that are at work end, `force` has their agents stopped."})
    reason = reason()


class RestartSchema(RequestSchema):
    """What to run again, and how."""

    from_block = Identifier(load_default=None, allow_none=True, description=(
        "This block and all that follows from it; without it, what failed, was rejected or was cancelled."))
    failed_only = StrictBoolean(load_default=False, metadata={
        "description": "Only what failed, said in so many words; not together with `fromBlock` or `resetState`."})
    reset_state = StrictBoolean(load_default=False, metadata={
        "description": "Forget the first run: its shared context and, without `fromBlock`, all results."})
    input_patch = fields.Dict(load_default=None, allow_none=True, metadata={
        "description": "A JSON merge patch (RFC 7396) of the execution's input."})
    definition = fields.String(
        load_default=ORIGINAL, validate=[validate.Length(max=_LONGEST_VERSION), validate.Regexp(_DEFINITION)],
        metadata={"description": "`original`, `latest`, or a version of the template."})
    dry_run = StrictBoolean(load_default=False, metadata={"description": "Say what would happen, change nothing."})


class SkipBlockSchema(RequestSchema):
    """What to go on with instead of the block's own output."""

    output = fields.Dict(load_default=dict, metadata={"description": "What `blocks.<id>.output` is to be."})
    reason = reason()


class CancelBlockSchema(RequestSchema):
    """How much to go on without."""

    region = StrictBoolean(load_default=False, metadata={
        "description": "Also without all that can be reached through the block alone."})
    reason = reason()


class NothingSchema(RequestSchema):
    """There is nothing to say: no body, or an empty object."""


class ControlledSchema(ViewSchema):
    """It is done, and this is where the execution stands now."""

    success = Success()
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in ExecutionStatus]))


class PausedSchema(ControlledSchema):
    """A pause begins at once, and is complete when nothing is in flight any more."""

    clock = fields.String(required=True, validate=CLOCKS)
    in_flight = fields.List(fields.Nested(BlockAtWorkSchema), required=True)


class ResumedSchema(ControlledSchema):
    """The pause is lifted; other holds stay."""

    holds = fields.List(fields.String(), required=True, metadata={"description": "What still holds it."})


class CancelledSchema(ControlledSchema):
    """It is cancelled when nothing is in flight any more."""

    in_flight = fields.List(fields.Nested(BlockAtWorkSchema), required=True)


class RestartedSchema(ControlledSchema):
    """What runs again; of a dry run, what would."""

    dry_run = fields.Boolean(required=True)
    template_version = fields.String(required=True)
    runs_again = fields.List(fields.String(), required=True, metadata={"description": "Blocks."})
    reuses = fields.List(fields.String(), required=True, metadata={"description": "Blocks whose results are kept."})
    asks_again = fields.List(fields.String(), required=True,
                             metadata={"description": "Blocks about which a person is asked anew."})
    may_repeat = fields.List(fields.String(), required=True,
                             metadata={"description": "Blocks whose side effects may happen twice."})
