"""Shapes of what is told of an execution's past: events, logs, and whether all of it can be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from web.api.schemas.fields import Identifier, Instant, RequestSchema, ViewSchema, offset
from workflow_service.domain.invariants import MEANINGS
from workflow_service.domain.logs import Level, LogFilter, entry_of, level_of
from workflow_service.domain.sentences import sentence_of
from workflow_service.services.ports import StoredEvent

_MOST = 1000
_RESULTS = validate.OneOf(["holds", "broken", "not_checked"])
_INVARIANTS = validate.OneOf(list(MEANINGS))


def _limit(usual: int) -> fields.Integer:
    return fields.Integer(load_default=usual, validate=validate.Range(min=1, max=_MOST))


def _follow() -> fields.Boolean:
    return fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"}, metadata={
        "description": "Answer with server-sent events until the execution has ended; `limit` and `offset` do not "
                       "count then."})


class EventQuerySchema(RequestSchema):
    """Which events."""

    after = fields.Integer(load_default=0, validate=validate.Range(min=0, max=2**31 - 1),
                           metadata={"description": "The sequence number after which to begin."})
    limit = _limit(_MOST)
    follow = _follow()


class EventSchema(ViewSchema):
    """One change of the execution, of one of its blocks, of a wait or of a request."""

    sequence = fields.Integer(required=True, metadata={"description": "From 1, without gaps."})
    event_id = fields.String(required=True, attribute="event.event_id")
    type = fields.String(required=True, attribute="event.type",
                         metadata={"description": "Past tense, such as `block_completed`."})
    timestamp = Instant(required=True, attribute="event.at")
    level = fields.Function(lambda stored: level_of(stored.event).value, required=True, metadata={
        "type": "string", "enum": [level.value for level in Level]})
    block_id = fields.String(required=True, allow_none=True, attribute="event.block_id")
    source = fields.String(required=True, attribute="event.source", metadata={"description": "Whose change it is."})
    version = fields.Integer(required=True, attribute="event.version",
                             metadata={"description": "The version of the source after the change."})
    message = fields.Function(lambda stored: sentence_of(stored.event), required=True, metadata={
        "type": "string", "description": "What happened, in a sentence."})
    payload = fields.Dict(required=True, attribute="event.payload")


def event_content(stored: StoredEvent) -> Mapping[str, Any]:
    """Return what is told of an event to somebody who follows the history."""
    content: Mapping[str, Any] = EventSchema().dump(stored)
    return content


class EventPageSchema(ViewSchema):
    """Some events, in their order."""

    events = fields.List(fields.Nested(EventSchema), required=True)
    next = fields.Integer(required=True, allow_none=True, metadata={
        "description": "What `after` has to be for the next page; null if there is none by now."})


class LogQuerySchema(RequestSchema):
    """Which log entries."""

    block_id = Identifier()
    level = fields.Enum(Level, by_value=True, metadata={"description": "Entries of this level and of those above it."})
    limit = _limit(100)
    offset = offset()
    follow = _follow()


class LogEntrySchema(ViewSchema):
    """What happened, as people read it."""

    sequence = fields.Integer(required=True)
    timestamp = Instant(required=True)
    level = fields.Enum(Level, by_value=True, required=True)
    block_id = fields.String(required=True, allow_none=True)
    event_type = fields.String(required=True)
    message = fields.String(required=True)
    details = fields.Dict(required=True)


def log_content(wanted: LogFilter, stored: StoredEvent) -> Mapping[str, Any] | None:
    """Return what is told of an event to somebody who follows the log; None if the entry is not wanted."""
    entry = entry_of(stored.sequence, stored.event)
    content: Mapping[str, Any] | None = LogEntrySchema().dump(entry) if wanted.admits(entry) else None
    return content


class LogPageSchema(ViewSchema):
    """Some log entries, the oldest first, and how many there are in all."""

    logs = fields.List(fields.Nested(LogEntrySchema), required=True)
    total = fields.Integer(required=True)


class CheckSchema(ViewSchema):
    """One rule that every execution has to follow."""

    invariant = fields.String(required=True, validate=_INVARIANTS)
    meaning = fields.String(required=True)
    result = fields.String(required=True, validate=_RESULTS, metadata={
        "description": "`not_checked`: only the records of other services could tell."})


class ViolationSchema(ViewSchema):
    """One rule that is broken."""

    invariant = fields.String(required=True, validate=_INVARIANTS)
    subject = fields.String(required=True, metadata={"description": "The id of the document or event."})
    message = fields.String(required=True)


class CountsSchema(ViewSchema):
    """How much was looked at."""

    events = fields.Integer(required=True)
    blocks = fields.Integer(required=True)
    waits = fields.Integer(required=True)
    approvals = fields.Integer(required=True)
    signals = fields.Integer(required=True)


class VerificationSchema(ViewSchema):
    """What was checked of an execution, and what is wrong with it."""

    execution_id = fields.String(required=True)
    valid = fields.Boolean(required=True, metadata={"description": "True if nothing is wrong."})
    checked_at = Instant(required=True)
    counts = fields.Nested(CountsSchema, required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)
    violations = fields.List(fields.Nested(ViolationSchema), required=True)


_PAYLOAD = {"from": "running", "cause": "transient: retry 1 of 3", "status": "retry_wait", "epoch": 1, "fence": 1,
            "attempt": 1, "retryCount": 1, "lostLeases": 0, "chosen": None,
            "error": {"code": "http_error", "class": "transient", "message": "503 Service Unavailable"}}
_AT = "2025-08-21T09:30:02.417Z"
_MESSAGE = "Block 'extract' failed: http_error: 503 Service Unavailable; retry 1 of 3 follows"
_RUN = "0f8e2c1d9b3a4c5e8f7a6b5c4d3e2f1a"
EVENTS: Mapping[str, Any] = {
    "events": [{"sequence": 4, "eventId": f"{_RUN}:extract@3", "type": "block_retry_scheduled", "timestamp": _AT,
                "level": "warning", "blockId": "extract", "source": f"{_RUN}:extract", "version": 3,
                "message": _MESSAGE, "payload": _PAYLOAD}],
    "next": None}
"""An answer about events."""
LOGS: Mapping[str, Any] = {
    "logs": [{"sequence": 4, "timestamp": _AT, "level": "warning", "blockId": "extract",
              "eventType": "block_retry_scheduled", "message": _MESSAGE, "details": _PAYLOAD}],
    "total": 1}
"""An answer about logs."""
VERIFIED: Mapping[str, Any] = {
    "executionId": _RUN, "valid": False, "checkedAt": _AT,
    "counts": {"events": 17, "blocks": 2, "waits": 1, "approvals": 1, "signals": 0},
    "checks": [{"invariant": name, "meaning": meaning, "result": "broken" if name == "I9" else
                "not_checked" if name in ("I2", "I10") else "holds"} for name, meaning in MEANINGS.items()],
    "violations": [{"invariant": "I9", "subject": f"{_RUN}:extract",
                    "message": "It has version 3, but its events have [1, 2]."}]}
"""An answer about what is wrong."""
