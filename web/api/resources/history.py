"""History: what happened in an execution, and whether all of it can be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import history as shapes
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.logs import LogFilter
from workflow_service.services.histories import EventPage, Verification

blueprint = Blueprint("history", __name__, url_prefix="/api/v1/executions", description="See what happened and why.")


@blueprint.route("/<id:executionId>/events")
class Events(MethodView):
    """The history of an execution."""

    @requires("executions:read")
    @blueprint.operation("listEvents", 404)
    @blueprint.query(shapes.EventQuerySchema)
    @blueprint.answer(200, shapes.EventPageSchema, example=shapes.EVENTS)
    def get(self, wanted: dict[str, Any], execution_id: str) -> EventPage:
        """List the events of an execution in their order."""
        return service().engine.histories.events(current_user(), execution_id, **wanted)


@blueprint.route("/<id:executionId>/logs")
class Logs(MethodView):
    """The history of an execution for people."""

    @requires("executions:read")
    @blueprint.operation("getExecutionLogs", 404)
    @blueprint.query(shapes.LogQuerySchema)
    @blueprint.answer(200, shapes.LogPageSchema, example=shapes.LOGS)
    def get(self, wanted: Mapping[str, Any], execution_id: str) -> dict[str, Any]:
        """Tell what happened in an execution, the oldest first."""
        logs, total = service().engine.histories.logs(current_user(), LogFilter(execution_id=execution_id, **wanted))
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
