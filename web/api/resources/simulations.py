"""Simulations: try templates without running anything."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import examples
from web.api.schemas.simulations import SimulationDirectivesSchema, SimulationSchema, TemplateSimulationSchema
from web.api.schemas.templates import VersionQuerySchema
from web.auth import current_user, requires
from web.context import service

blueprint = Blueprint("simulations", __name__, url_prefix="/api/v1",
                      description="Try templates without running anything.")


@blueprint.route("/templates/<id:templateId>/simulate")
class StoredTemplateSimulation(MethodView):
    """What a stored template would do."""

    @requires("templates:read")
    @blueprint.operation("simulateTemplate", 400, 404, 415, 422)
    @blueprint.query(VersionQuerySchema)
    @blueprint.optional_body(SimulationDirectivesSchema, examples.SIMULATE)
    @blueprint.answer(200, SimulationSchema)
    def post(self, query: dict[str, Any], directives: dict[str, Any], template_id: str) -> dict[str, Any]:
        """Simulate a template in virtual time, with agents and people that answer as is said here."""
        return service().simulations.simulate(current_user(), template_id, query["version"], directives)


@blueprint.route("/simulations")
class GivenTemplateSimulation(MethodView):
    """What a template would do that need not be stored."""

    @requires("templates:read")
    @blueprint.operation("simulateGivenTemplate", 400, 415, 422)
    @blueprint.body(TemplateSimulationSchema, examples.SIMULATE_GIVEN)
    @blueprint.answer(200, SimulationSchema)
    def post(self, whole: dict[str, Any]) -> dict[str, Any]:
        """Simulate the template in the body; workflows that its blocks run are read from those that are stored."""
        return service().simulations.simulate_given(current_user(), whole)
