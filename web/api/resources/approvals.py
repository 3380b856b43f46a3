"""Approvals: what people are asked, and their answers."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.schemas import examples
from web.api.schemas.approvals import (
    ApprovalListSchema,
    ApprovalQuerySchema,
    ApprovalSchema,
    RespondToApprovalSchema,
    SuccessSchema,
)
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.approval import Approval
from workflow_service.domain.commands import ApprovalFilter, RespondToApproval

blueprint = Blueprint("approvals", __name__, url_prefix="/api/v1/approvals", description="Ask people.")


@blueprint.route("/pending")
class PendingApprovals(MethodView):
    """The requests that wait for an answer."""

    @requires("approvals:read")
    @blueprint.operation("listPendingApprovals")
    @blueprint.query(ApprovalQuerySchema)
    @blueprint.answer(200, ApprovalListSchema)
    def get(self, wanted: ApprovalFilter) -> dict[str, Any]:
        """List the pending requests that this user may answer, the oldest first."""
        return {"approvals": service().approvals.pending(current_user(), wanted)}


@blueprint.route("/<id:approvalId>")
class SingleApproval(MethodView):
    """One request."""

    @requires("approvals:read")
    @blueprint.operation("getApproval", 404)
    @blueprint.answer(200, ApprovalSchema)
    def get(self, approval_id: str) -> Approval:
        """Return a request, answered or not."""
        return service().approvals.get(current_user(), approval_id)


@blueprint.route("/<id:approvalId>/respond")
class ApprovalResponse(MethodView):
    """The answer to a request."""

    @requires("approvals:respond")
    @blueprint.operation("respondToApproval", 400, 404, 409, 413, 415, 422)
    @blueprint.body(RespondToApprovalSchema, examples.RESPONSE)
    @blueprint.answer(200, SuccessSchema, example={"success": True})
    def post(self, answer: dict[str, Any], approval_id: str) -> dict[str, bool]:
        """Answer a request; it can be answered once."""
        service().approvals.respond(current_user(), RespondToApproval(approval_id=approval_id, **answer))
        return {"success": True}
