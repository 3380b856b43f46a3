"""History: what happened in an execution, and whether all of it can be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.following import takes_last_event_id
from web.api.schemas import history as shapes
from web.auth import current_user, requires
from web.context import service
from web.streams import Read, Reading, Told, stream
from workflow_service.domain.logs import LogFilter
from workflow_service.domain.users import User
from workflow_service.services.histories import EventPage, Verification
from workflow_service.services.ports import StoredEvent

blueprint = Blueprint("history", __name__, url_prefix="/api/v1/executions", description="See what happened and why.")


@blueprint.route("/<id:executionId>/events")
class Events(MethodView):
    """The history of an execution."""

    @requires("executions:read")
    @blueprint.operation("listEvents", 404, 429)
    @takes_last_event_id
    @blueprint.query(shapes.EventQuerySchema)
    @blueprint.answer(200, shapes.EventPageSchema, example=shapes.EVENTS)
    @blueprint.stream()
    def get(self, wanted: dict[str, Any], execution_id: str) -> EventPage | Response:
        """List the events of an execution in their order, or follow them."""
        if wanted.pop("follow"):
            return stream(_reader(current_user(), execution_id, shapes.event_content), wanted["after"])
        return service().engine.histories.events(current_user(), execution_id, **wanted)


@blueprint.route("/<id:executionId>/logs")
class Logs(MethodView):
    """The history of an execution for people."""

    @requires("executions:read")
    @blueprint.operation("getExecutionLogs", 404, 429)
    @takes_last_event_id
    @blueprint.query(shapes.LogQuerySchema)
    @blueprint.answer(200, shapes.LogPageSchema, example=shapes.LOGS)
    @blueprint.stream()
    def get(self, wanted: dict[str, Any], execution_id: str) -> dict[str, Any] | Response:
        """Tell what happened in an execution, the oldest first, or follow it."""
        follow, chosen = wanted.pop("follow"), LogFilter(execution_id=execution_id, **wanted)
        if follow:
            return stream(_reader(current_user(), execution_id, partial(shapes.log_content, chosen)))
        logs, total = service().engine.histories.logs(current_user(), chosen)
        return {"logs": logs, "total": total}


@blueprint.route("/<id:executionId>/verify")
class Verified(MethodView):
    """What is wrong with an execution."""

    @requires("executions:read")
    @blueprint.operation("verifyExecution", 404)
    @blueprint.answer(200, shapes.VerificationSchema, example=shapes.VERIFIED)
    def get(self, execution_id: str) -> Verification:
        """Check that an execution, which may still be running, follows every rule."""
        return service().engine.histories.verify(current_user(), execution_id)


def _reader(user: User, execution_id: str, content: Callable[[StoredEvent], Mapping[str, Any] | None]) -> Read:
    """Return what reads the news of an execution for a stream.

    Args:
        content: returns what is told of an event; None for nothing.
    """
    histories = service().engine.histories

    def read(after: int) -> Reading:
        news = histories.news(user, execution_id, after)
        return Reading(events=[Told(sequence=event.sequence, content=content(event)) for event in news.events],
                       end=None if news.ended is None else {"status": news.ended.value})

    return read
