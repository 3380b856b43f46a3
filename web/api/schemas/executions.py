"""Shapes of the execution endpoints: section 4.2 of the customer's document, and what we add to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from web.api.schemas.fields import Identifier, Instant, RequestSchema, Text, ViewSchema, limit, offset
from workflow_service.domain.attributes import KEY_PATTERN, LONGEST, MOST, is_term
from workflow_service.domain.flow import SignalMode
from workflow_service.domain.paging import MAX_CURSOR, Place
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus, WaitKind

_EXECUTION_STATUSES = validate.OneOf([status.value for status in ExecutionStatus])
_APPROVAL_STATUSES = validate.OneOf([status.value for status in ApprovalStatus])
_BLOCK_STATUSES = validate.OneOf([status.value for status in BlockStatus])
CLOCKS = validate.OneOf(["running", "stopped"])
"""Whether the time-outs of an execution go on or stand still."""


class StartExecutionSchema(RequestSchema):
    """Run a template."""

    template_id = Identifier(required=True)
    template_version = Text(64, load_default=None, allow_none=True,
                            metadata={"description": "The latest if none is named."})
    input = fields.Dict(load_default=dict, metadata={"description": "What expressions know as `input`."})
    workspace_id = Identifier(load_default=None, allow_none=True,
                              description="If given, it has to be the workspace of the token.")
    attributes = fields.Dict(load_default=dict, metadata={
        "maxProperties": MOST, "description": "What it can be found by. Names: letters, digits, `_`, `.` and `-`, at "
        f"most 64; values: texts of at most {LONGEST} characters, numbers, booleans."})


class GivenInstant(fields.AwareDateTime):
    """An instant in a request: RFC 3339, with its offset."""

    def __init__(self, description: str) -> None:
        """Document the range that it is an end of."""
        super().__init__(format="iso", metadata={"description": description})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


class ExecutionQuerySchema(RequestSchema):
    """Which executions."""

    status = fields.List(fields.Enum(ExecutionStatus, by_value=True), metadata={"description": "One of these."},
                         validate=validate.Length(max=len(ExecutionStatus)))
    template_id = Identifier()
    workspace_id = Identifier(description="If given, it has to be the workspace of the token.")
    parent_id = Identifier(description="Those that are a part of this execution, right below it; without it those that "
                           "are a part of no other.")
    tag = Text(64, metadata={"description": "One that the template had when the execution was started."})
    created_by = Text(200, metadata={"description": "Who started it."})
    error_code = Text(128, metadata={"description": "Why it failed."})
    attribute = fields.List(Text(64 + 1 + LONGEST), validate=validate.Length(max=MOST), metadata={
        "description": "`name:value`; all of these. The value as JSON writes it, texts without quotes."})
    started_after = GivenInstant("Started then or later.")
    started_before = GivenInstant("Started earlier than that.")
    ended_after = GivenInstant("Ended then or later.")
    ended_before = GivenInstant("Ended earlier than that.")
    cursor = Text(MAX_CURSOR, metadata={"description": "The `nextCursor` of the page before."})
    limit = limit(50)
    offset = offset()

    @post_load
    def to_filter(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the fields of the filter, and the workspace if it is named."""
        cursor, statuses = query.pop("cursor", None), tuple(query.pop("status", ()))
        attributes = tuple(query.pop("attribute", ()))
        for number, text in enumerate(attributes):
            if not is_term(text):
                raise ValidationError({"attribute": {number: [
                    f"This has to be 'name:value', with a name that matches {KEY_PATTERN}."]}})
        return {**query, "statuses": statuses, "attributes": attributes,
                "after": None if cursor is None else Place.of_cursor(cursor)}


class StartedExecutionSchema(ViewSchema):
    """An execution that was accepted."""

    execution_id = fields.String(required=True)
    status = fields.String(required=True, validate=_EXECUTION_STATUSES)


class HumanInteractionSchema(ViewSchema):
    """One question to a person, and the answer."""

    approval_id = fields.String(required=True)
    execution_id = fields.String(required=True, metadata={
        "description": "Where it was asked: here, or in an execution that is a part of the block."})
    type = fields.String(required=True)
    status = fields.String(required=True, validate=_APPROVAL_STATUSES)
    requested_at = Instant(required=True)
    responded_at = Instant(required=True, allow_none=True)
    response = fields.Dict(required=True, allow_none=True)
    approver = fields.String(required=True, allow_none=True)


class WaitingForSchema(ViewSchema):
    """What a block waits for."""

    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in WaitKind]))
    until = Instant(required=True, allow_none=True, metadata={
        "description": "When it waits no longer, if time goes on from now; null for never."})
    signals = fields.List(fields.String(), metadata={"description": "The names of signals; only with `signal`."})
    mode = fields.String(validate=validate.OneOf([mode.value for mode in SignalMode]), metadata={
        "description": "How many of them; only with `signal`."})


class BlockExecutionSchema(ViewSchema):
    """One block of an execution."""

    block_id = fields.String(required=True)
    execution_id = fields.String(required=True)
    agent_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=_BLOCK_STATUSES)
    started_at = Instant(required=True, allow_none=True)
    completed_at = Instant(required=True, allow_none=True)
    input = fields.Dict(required=True, allow_none=True)
    output = fields.Dict(required=True, allow_none=True)
    error = fields.Dict(required=True, allow_none=True)
    retry_count = fields.Integer(required=True)
    attempt = fields.Integer(required=True, metadata={"description": "Calls of the agent in this epoch."})
    epoch = fields.Integer(required=True, metadata={"description": "Grows when the block is deliberately run again."})
    next_attempt_at = Instant(required=True, allow_none=True,
                              metadata={"description": "When a block that waits for a retry is tried again."})
    supplied_by = fields.String(required=True, allow_none=True,
                                metadata={"description": "Who skipped the block and gave its output; null if nobody."})
    waiting_for = fields.Nested(WaitingForSchema, required=True, allow_none=True, metadata={
        "description": "What it waits for while it is blocked; null if it is not."})
    human_interactions = fields.List(fields.Nested(HumanInteractionSchema), required=True)
    children = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={
        "description": "How many executions that are a part of the block, in this epoch, have which status."})


class RecoveryPointSchema(ViewSchema):
    """A moment from which the execution may start again."""

    timestamp = Instant(required=True)
    state = fields.Dict(required=True)
    completed_blocks = fields.List(fields.String(), required=True)


class BlockAtWorkSchema(ViewSchema):
    """A block that still runs, or whose agent is at work."""

    block_id = fields.String(required=True)
    status = fields.String(required=True, validate=_BLOCK_STATUSES)


class ParentSchema(ViewSchema):
    """The block that an execution is a part of."""

    execution_id = fields.String(required=True)
    block_id = fields.String(required=True)
    index = fields.Integer(required=True, metadata={"description": "Its place among the others, from 0."})


class ExecutionSummarySchema(ViewSchema):
    """An execution without its blocks."""

    execution_id = fields.String(required=True)
    template_id = fields.String(required=True)
    template_version = fields.String(required=True)
    workspace_id = fields.String(required=True)
    parent = fields.Nested(ParentSchema, required=True, allow_none=True, metadata={
        "description": "Null for one that somebody started."})
    status = fields.String(required=True, validate=_EXECUTION_STATUSES)
    created_at = Instant(required=True, metadata={"description": "When it was asked for."})
    started_at = Instant(required=True, allow_none=True)
    completed_at = Instant(required=True, allow_none=True)
    created_by = fields.String(required=True)
    tags = fields.List(fields.String(), required=True,
                       metadata={"description": "Those that the template had when it was started."})
    attributes = fields.Dict(required=True, metadata={"description": "What it can be found by."})
    error = fields.Dict(required=True, allow_none=True, metadata={"description": "Why it failed or was cancelled."})
    holds = fields.List(fields.String(), required=True,
                        metadata={"description": "While there is one, nothing new starts."})
    clock = fields.String(required=True, validate=CLOCKS, metadata={"description": "Whether time-outs go on."})
    reason = fields.String(required=True, allow_none=True,
                           metadata={"description": "What was said when it was paused or cancelled."})
    generation = fields.Integer(required=True, metadata={"description": "Grows with each restart and each cancel."})


class WorkflowExecutionSchema(ExecutionSummarySchema):
    """An execution with everything that is known of it."""

    input = fields.Dict(required=True)
    output = fields.Dict(required=True, allow_none=True, metadata={
        "description": "What it gives, once it has completed: the template's `output`, or that of its last blocks."})
    current_blocks = fields.List(fields.String(), required=True)
    completed_blocks = fields.List(fields.String(), required=True)
    failed_blocks = fields.List(fields.String(), required=True)
    blocked_blocks = fields.List(fields.String(), required=True)
    in_flight = fields.List(fields.Nested(BlockAtWorkSchema), required=True,
                            metadata={"description": "The blocks that are at work right now."})
    block_executions = fields.List(fields.Nested(BlockExecutionSchema), required=True)
    global_context = fields.Dict(required=True)
    recovery_points = fields.List(fields.Nested(RecoveryPointSchema), required=True)


class ExecutionPageSchema(ViewSchema):
    """Some executions, and how many there are in all."""

    executions = fields.List(fields.Nested(ExecutionSummarySchema), required=True)
    total = fields.Integer(required=True)
    next_cursor = fields.String(required=True, allow_none=True, metadata={
        "description": "What `cursor` has to be for the next page; null if this is the last."})
