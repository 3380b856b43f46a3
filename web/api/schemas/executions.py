"""Shapes of the execution endpoints: section 4.2 of the customer's document, and what we add to it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from web.api.schemas.fields import Identifier, Instant, RequestSchema, Text, ViewSchema, limit, offset
from workflow_service.domain.commands import ExecutionFilter
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, ExecutionStatus

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


class ExecutionQuerySchema(RequestSchema):
    """Which executions."""

    status = fields.Enum(ExecutionStatus, by_value=True)
    template_id = Identifier()
    limit = limit(50)
    offset = offset()

    @post_load
    def to_filter(self, query: dict[str, Any], **_: Any) -> ExecutionFilter:
        """Return the filter."""
        return ExecutionFilter(**query)


class StartedExecutionSchema(ViewSchema):
    """An execution that was accepted."""

    execution_id = fields.String(required=True)
    status = fields.String(required=True, validate=_EXECUTION_STATUSES)


class HumanInteractionSchema(ViewSchema):
    """One question to a person, and the answer."""

    approval_id = fields.String(required=True)
    type = fields.String(required=True)
    status = fields.String(required=True, validate=_APPROVAL_STATUSES)
    requested_at = Instant(required=True)
    responded_at = Instant(required=True, allow_none=True)
    response = fields.Dict(required=True, allow_none=True)
    approver = fields.String(required=True, allow_none=True)


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
    human_interactions = fields.List(fields.Nested(HumanInteractionSchema), required=True)


class RecoveryPointSchema(ViewSchema):
    """A moment from which the execution may start again."""

    timestamp = Instant(required=True)
    state = fields.Dict(required=True)
    completed_blocks = fields.List(fields.String(), required=True)


class BlockAtWorkSchema(ViewSchema):
    """A block that still runs, or whose agent is at work."""

    block_id = fields.String(required=True)
    status = fields.String(required=True, validate=_BLOCK_STATUSES)


class ExecutionSummarySchema(ViewSchema):
    """An execution without its blocks."""

    execution_id = fields.String(required=True)
    template_id = fields.String(required=True)
    template_version = fields.String(required=True)
    workspace_id = fields.String(required=True)
    status = fields.String(required=True, validate=_EXECUTION_STATUSES)
    started_at = Instant(required=True, allow_none=True)
    completed_at = Instant(required=True, allow_none=True)
    created_by = fields.String(required=True)
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
