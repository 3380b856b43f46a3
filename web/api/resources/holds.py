"""Standing holds: nothing starts that belongs to a template, an agent, a workspace, or to anybody."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import examples
from web.api.schemas.holds import HoldListSchema, HoldSchema, LiftedHoldSchema, PlaceHoldSchema
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.commands import PlaceHold
from workflow_service.domain.standing_hold import StandingHold

blueprint = Blueprint("holds", __name__, url_prefix="/api/v1/holds", description="Hold many executions at once.")


@blueprint.route("")
class Holds(MethodView):
    """All standing holds that this workspace is under."""

    @requires("executions:read")
    @blueprint.operation("listHolds")
    @blueprint.answer(200, HoldListSchema, example={"holds": [examples.HOLD]})
    def get(self) -> dict[str, Any]:
        """List the standing holds of the workspace, and those of the whole service."""
        return {"holds": service().engine.standing_holds.all(current_user())}

    @requires("executions:control")
    @blueprint.operation("placeHold", 400, 404, 409, 413, 415, 422)
    @blueprint.body(PlaceHoldSchema, examples.PLACE_HOLD)
    @blueprint.answer(201, HoldSchema, example=examples.HOLD)
    def post(self, wanted: dict[str, Any]) -> StandingHold:
        """Hold what runs and what will be started, until the hold is lifted."""
        return service().engine.standing_holds.place(current_user(), PlaceHold(**wanted))


@blueprint.route("/<id:holdId>")
class SingleHold(MethodView):
    """One standing hold."""

    @requires("executions:control")
    @blueprint.operation("liftHold", 404, 409)
    @blueprint.answer(200, LiftedHoldSchema, example={"success": True, **examples.HOLD, "status": "lifted"})
    def delete(self, hold_id: str) -> StandingHold:
        """Lift a standing hold; what it held goes on, unless something else holds it."""
        return service().engine.standing_holds.lift(current_user(), hold_id)
