"""Control: how an operator steps in while executions run, or after they ended."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import examples
from web.api.schemas.control import (
    CancelBlockSchema,
    CancelledSchema,
    CancelSchema,
    ControlledSchema,
    NothingSchema,
    PausedSchema,
    PauseSchema,
    RestartedSchema,
    RestartSchema,
    ResumedSchema,
    SkipBlockSchema,
)
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.commands import (
    CancelBlock,
    CancelExecution,
    PauseExecution,
    RestartExecution,
    RetryBlock,
    SkipBlock,
)
from workflow_service.domain.execution import Execution
from workflow_service.services import views
from workflow_service.services.restarts import Restart

blueprint = Blueprint("control", __name__, url_prefix="/api/v1/executions", description="Step in.")


@blueprint.route("/<id:executionId>/pause")
class Pause(MethodView):
    """A pause of an execution."""

    @requires("executions:control")
    @blueprint.operation("pauseExecution", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(PauseSchema, examples.PAUSE)
    @blueprint.answer(200, PausedSchema, example=examples.PAUSED)
    def post(self, wanted: dict[str, Any], execution_id: str) -> dict[str, Any]:
        """Let nothing of an execution start until it is resumed; what runs may end."""
        return _now(service().engine.holds.pause(current_user(), PauseExecution(execution_id=execution_id, **wanted)))


@blueprint.route("/<id:executionId>/resume")
class Resume(MethodView):
    """The end of a pause."""

    @requires("executions:control")
    @blueprint.operation("resumeExecution", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(NothingSchema, {})
    @blueprint.answer(200, ResumedSchema, example=examples.RESUMED)
    def post(self, _: dict[str, Any], execution_id: str) -> dict[str, Any]:
        """Lift the pause of an execution; other holds stay."""
        return views.summary(service().engine.holds.resume(current_user(), execution_id))


@blueprint.route("/<id:executionId>/cancel")
class Cancel(MethodView):
    """The end of an execution, wanted by somebody."""

    @requires("executions:control")
    @blueprint.operation("cancelExecution", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(CancelSchema, examples.CANCEL)
    @blueprint.answer(200, CancelledSchema, example=examples.CANCELLED)
    def post(self, wanted: dict[str, Any], execution_id: str) -> dict[str, Any]:
        """End an execution; asked again, it changes nothing more than the mode."""
        command = CancelExecution(execution_id=execution_id, **wanted)
        return _now(service().engine.cancellation.cancel(current_user(), command))


@blueprint.route("/<id:executionId>/restart")
class Restarted(MethodView):
    """Another run of a part of an execution, or of all of it."""

    @requires("executions:control")
    @blueprint.operation("restartExecution", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(RestartSchema, examples.RESTART)
    @blueprint.answer(200, RestartedSchema, example=examples.RESTARTED)
    def post(self, wanted: dict[str, Any], execution_id: str) -> dict[str, Any]:
        """Run what failed again, or a block with all that follows from it, or everything."""
        command = RestartExecution(execution_id=execution_id, **wanted)
        return _restarted(service().engine.restarts.restart(current_user(), command), command.dry_run)


@blueprint.route("/<id:executionId>/blocks/<id:blockId>/skip")
class SkippedBlock(MethodView):
    """A block that the execution goes on without."""

    @requires("executions:control")
    @blueprint.operation("skipBlock", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(SkipBlockSchema, examples.SKIP)
    @blueprint.answer(200, ControlledSchema, example=examples.CONTROLLED)
    def post(self, wanted: dict[str, Any], execution_id: str, block_id: str) -> Execution:
        """Go on after a block that failed or does not end, with an output given here."""
        command = SkipBlock(execution_id=execution_id, block_id=block_id, **wanted)
        return service().engine.interventions.skip(current_user(), command)


@blueprint.route("/<id:executionId>/blocks/<id:blockId>/retry")
class RetriedBlock(MethodView):
    """An attempt that does not wait any longer."""

    @requires("executions:control")
    @blueprint.operation("retryBlock", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(NothingSchema, {})
    @blueprint.answer(200, ControlledSchema, example=examples.CONTROLLED)
    def post(self, _: dict[str, Any], execution_id: str, block_id: str) -> Execution:
        """Make the next attempt of a block that waits for it now."""
        command = RetryBlock(execution_id=execution_id, block_id=block_id)
        return service().engine.interventions.retry(current_user(), command)


@blueprint.route("/<id:executionId>/blocks/<id:blockId>/cancel")
class CancelledBlock(MethodView):
    """A block that is not done, in an execution that goes on."""

    @requires("executions:control")
    @blueprint.operation("cancelBlock", 400, 404, 409, 413, 415, 422)
    @blueprint.optional_body(CancelBlockSchema, examples.CANCEL_BLOCK)
    @blueprint.answer(200, ControlledSchema, example=examples.CONTROLLED)
    def post(self, wanted: dict[str, Any], execution_id: str, block_id: str) -> Execution:
        """Take a block that has not ended out of an execution; if it is at work its agent is stopped first."""
        command = CancelBlock(execution_id=execution_id, block_id=block_id, **wanted)
        return service().engine.withdrawals.cancel_block(current_user(), command)


def _now(execution: Execution) -> dict[str, Any]:
    return {**views.summary(execution), "inFlight": service().executions.in_flight(execution)}


def _restarted(restart: Restart, dry_run: bool) -> dict[str, Any]:
    preview = restart.preview
    return {"status": restart.execution.status, "dryRun": dry_run, "templateVersion": preview.template_version,
            "runsAgain": preview.runs_again, "reuses": preview.reuses, "asksAgain": preview.asks_again,
            "mayRepeat": preview.may_repeat}
