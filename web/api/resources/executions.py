"""Executions: run workflows and see what happens."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import url_for
from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.idempotency import REPLAYED, idempotency_key, replayed, takes_idempotency_key
from web.api.paging import LINK, next_link
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
from workflow_service.services.executions import ExecutionPage

LOCATION = {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}}
blueprint = Blueprint("executions", __name__, url_prefix="/api/v1/executions", description="Run workflows.")


@blueprint.route("")
class Executions(MethodView):
    """All executions of the workspace."""

    @requires("executions:start")
    @blueprint.operation("startExecution", 400, 404, 409, 413, 415, 422)
    @takes_idempotency_key
    @blueprint.body(StartExecutionSchema, examples.START)
    @blueprint.answer(201, StartedExecutionSchema, example=examples.STARTED, headers=LOCATION)
    @blueprint.or_answer(200, StartedExecutionSchema, "An earlier request with the same Idempotency-Key started it.",
                         headers={**LOCATION, **REPLAYED})
    def post(self, wanted: dict[str, Any]) -> tuple[Execution, int, dict[str, str]]:
        """Run a template."""
        started = service().executions.start_once(current_user(), _command(current_user(), wanted))
        address = url_for("executions.SingleExecution", executionId=started.execution.execution_id)
        return (started.execution, HTTPStatus.OK if started.replayed else HTTPStatus.CREATED,
                {"Location": address, **replayed(started.replayed)})

    @requires("executions:read")
    @blueprint.operation("listExecutions")
    @blueprint.query(ExecutionQuerySchema)
    @blueprint.answer(200, ExecutionPageSchema, headers=LINK)
    def get(self, wanted: dict[str, Any]) -> tuple[ExecutionPage, dict[str, str]]:
        """List executions, the latest first."""
        _check_workspace(current_user(), wanted.pop("workspace_id", None))
        page = service().executions.page(current_user(), ExecutionFilter(**wanted))
        return page, next_link(page.next_cursor)


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
    _check_workspace(user, wanted["workspace_id"])
    return StartExecution(template_id=wanted["template_id"], version=wanted["template_version"], input=wanted["input"],
                          workspace_id=user.workspace_id, attributes=wanted["attributes"],
                          idempotency_key=idempotency_key())


def _check_workspace(user: User, workspace_id: str | None) -> None:
    if workspace_id not in (None, user.workspace_id):
        raise Forbidden(f"The token is for the workspace '{user.workspace_id}', not '{workspace_id}'.")
