"""Health: whether the process is alive, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas.health import HealthSchema, ReadinessSchema
from web.context import service

blueprint = Blueprint("health", __name__, description="For load balancers and operators.")


@blueprint.route("/health")
class Health(MethodView):
    """Liveness."""

    @blueprint.operation("getHealth")
    @blueprint.answer(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """Say that the process is alive; asks nobody else."""
        return {"status": "alive"}


@blueprint.route("/ready")
class Readiness(MethodView):
    """Readiness."""

    @blueprint.operation("getReadiness")
    @blueprint.or_answer(503, ReadinessSchema, "MongoDB does not answer.")
    @blueprint.answer(200, ReadinessSchema)
    def get(self) -> tuple[dict[str, Any], int]:
        """Say which dependencies answer.

        Requests need MongoDB alone: what the others are to do waits in the store until they are back.
        """
        dependencies = service().health.check()
        ready = dependencies["mongodb"]
        return {"status": "ready" if ready else "unavailable", "dependencies": dependencies}, 200 if ready else 503
