"""Metrics: what Prometheus reads. They tell of all workspaces together, so they are for those of the service's own."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.errors import Forbidden
from workflow_service.metrics.registry import CONTENT_TYPE

blueprint = Blueprint("metrics", __name__, description="For Prometheus.")


@blueprint.route("/metrics")
class Metrics(MethodView):
    """The metrics."""

    @requires("metrics:read")
    @blueprint.operation("getMetrics")
    @blueprint.text_answer("Metrics in the text format of Prometheus.")
    def get(self) -> Response:
        """Return the metrics of all web processes behind this address, and the figures of the store.

        It needs a token of any role for the service's own workspace (`WORKFLOW_SERVICE_WORKSPACE`).
        """
        if current_user().workspace_id != service().settings.workflow.service_workspace:
            raise Forbidden("Metrics tell of all workspaces; this needs a token for the service's own workspace.")
        return Response(service().metrics.text(), content_type=CONTENT_TYPE)
