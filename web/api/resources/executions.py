"""Executions: run workflows and see what happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import examples
from web.api.schemas.executions import (
    ExecutionPageSchema,
    ExecutionQuerySchema,
    StartedExecutionSchema,
    StartExecutionSchema,
    WorkflowExecutionSchema,
)
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.commands import ExecutionFilter, StartExecution
from workflow_service.domain.errors import Forbidden
from workflow_service.domain.execution import Execution
from workflow_service.domain.users import User

LOCATION = {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}}
blueprint = Blueprint("executions", __name__, url_prefix="/api/v1/executions", description="Run workflows.")


@blueprint.route("")
class Executions(MethodView):
    """All executions of the workspace."""

    @requires("executions:start")
    @blueprint.operation("startExecution", 400, 404, 413, 415, 422)
    @blueprint.body(StartExecutionSchema, examples.START)
    @blueprint.answer(201, StartedExecutionSchema, example=examples.STARTED, headers=LOCATION)
    def post(self, wanted: dict[str, Any]) -> tuple[Execution, dict[str, str]]:
        """Run a template."""
        execution = service().executions.start(current_user(), _command(current_user(), wanted))
        return execution, {"Location": url_for("executions.SingleExecution", executionId=execution.execution_id)}

    @requires("executions:read")
    @blueprint.operation("listExecutions")
    @blueprint.query(ExecutionQuerySchema)
    @blueprint.answer(200, ExecutionPageSchema)
    def get(self, wanted: ExecutionFilter) -> dict[str, Any]:
        """List executions, the latest first."""
        executions, total = service().executions.page(current_user(), wanted)
        return {"executions": executions, "total": total}


@blueprint.route("/<id:executionId>")
class SingleExecution(MethodView):
    """One execution."""

    @requires("executions:read")
    @blueprint.operation("getExecution", 404)
    @blueprint.answer(200, WorkflowExecutionSchema)
    def get(self, execution_id: str) -> Any:
        """Return an execution with all its blocks."""
        return service().executions.get(current_user(), execution_id)


def _command(user: User, wanted: Mapping[str, Any]) -> StartExecution:
    if wanted["workspace_id"] not in (None, user.workspace_id):
        raise Forbidden(f"The token is for the workspace '{user.workspace_id}', not '{wanted['workspace_id']}'.")
    return StartExecution(template_id=wanted["template_id"], version=wanted["template_version"], input=wanted["input"],
                          workspace_id=user.workspace_id)
