"""Shapes of the endpoints that simulate templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from web.api.schemas.fields import Instant, ViewSchema
from web.api.schemas.templates import DocumentSchema
from workflow_service.domain.statuses import ApprovalStatus, BlockStatus, WaitKind
from workflow_service.simulation.directive_schema import DIRECTIVES_SCHEMA
from workflow_service.simulation.views import OUTCOMES

_WITHIN = {"description": "Empty, or of which block it is a part, such as `m[2]` of the third item of the map `m`."}
_BLOCK_STATUSES = validate.OneOf([status.value for status in BlockStatus])


class SimulationDirectivesSchema(DocumentSchema):
    """What agents answer, what people decide, what fails, which signals come."""


class TemplateSimulationSchema(DocumentSchema):
    """A template that need not be stored, and what is to happen in it."""


class SimulatedBlockSchema(ViewSchema):
    """A block that began."""

    within = fields.String(required=True, metadata=_WITHIN)
    block_id = fields.String(required=True)
    agent_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=_BLOCK_STATUSES)
    attempts = fields.Integer(required=True)
    started_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)
    input = fields.Dict(required=True, allow_none=True)
    output = fields.Dict(required=True, allow_none=True)
    error = fields.Dict(required=True, allow_none=True)


class BlockNotReachedSchema(ViewSchema):
    """A block that did not begin."""

    within = fields.String(required=True, metadata=_WITHIN)
    block_id = fields.String(required=True)
    status = fields.String(required=True, validate=_BLOCK_STATUSES)


class SimulatedEscalationSchema(ViewSchema):
    """The moment when nobody had answered in time."""

    escalated_at = Instant(required=True)
    assigned_to = fields.String(required=True, metadata={"description": "The role that is asked from then on."})
    level = fields.Integer(required=True)


class SimulatedApprovalSchema(ViewSchema):
    """What a person would be asked."""

    within = fields.String(required=True, metadata=_WITHIN)
    block_id = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    assigned_to = fields.String(required=True, metadata={"description": "The role that is asked first."})
    payload = fields.Dict(required=True)
    input_schema = fields.Dict(required=True)
    requested_at = Instant(required=True)
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in ApprovalStatus]))
    responded_at = Instant(required=True, allow_none=True)
    response = fields.Dict(required=True, allow_none=True)
    comments = fields.String(required=True, allow_none=True)
    refusal = fields.String(required=True, allow_none=True, metadata={
        "description": "Why the answer that was foretold would be refused."})
    escalations = fields.List(fields.Nested(SimulatedEscalationSchema), required=True)


class WaitInVainSchema(ViewSchema):
    """What is waited for, and was not foretold."""

    within = fields.String(required=True, metadata=_WITHIN)
    block_id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in WaitKind]))
    message = fields.String(required=True)


class SimulatedEventSchema(ViewSchema):
    """One thing that happened."""

    timestamp = Instant(required=True)
    since_start_ms = fields.Integer(required=True)
    within = fields.String(required=True, metadata=_WITHIN)
    block_id = fields.String(required=True, allow_none=True)
    type = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "A sentence for people."})


class SimulationSchema(ViewSchema):
    """What would happen. All instants are virtual."""

    template_id = fields.String(required=True)
    template_version = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES), metadata={
        "description": "How the execution ends; `waiting` if nothing more happens by itself, `cut_short` if a limit of "
                       "the simulation was reached."})
    reason = fields.String(required=True, allow_none=True,
                           metadata={"description": "Why it does not end; null if it ends."})
    error = fields.Dict(required=True, allow_none=True)
    output = fields.Dict(required=True, allow_none=True,
                         metadata={"description": "What the execution gives; null if it does not complete."})
    started_at = Instant(required=True)
    ended_at = Instant(required=True, metadata={"description": "When the last thing happened."})
    duration_ms = fields.Integer(required=True)
    path = fields.List(fields.Nested(SimulatedBlockSchema), required=True,
                       metadata={"description": "The blocks that began, in this order."})
    never_reached = fields.List(fields.Nested(BlockNotReachedSchema), required=True)
    approvals = fields.List(fields.Nested(SimulatedApprovalSchema), required=True)
    waits_for = fields.List(fields.Nested(WaitInVainSchema), required=True)
    agent_calls = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True,
                              metadata={"description": "Agent id -> how often it would be called."})
    timeline = fields.List(fields.Nested(SimulatedEventSchema), required=True)


def simulation_components() -> Mapping[str, dict[str, Any]]:
    """Return the OpenAPI components that describe directives, by name."""
    template = {"template": {"$ref": "#/components/schemas/WorkflowTemplate"}}
    whole = {**DIRECTIVES_SCHEMA, "properties": {**template, **DIRECTIVES_SCHEMA["properties"]},
             "required": ["template"]}
    return {"SimulationDirectives": DIRECTIVES_SCHEMA, "TemplateSimulation": whole}
