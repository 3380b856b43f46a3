"""Signals: tell an execution something that its blocks wait for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask.views import MethodView

from web.api.blueprint import Blueprint
from web.api.idempotency import REPLAYED, idempotency_key, replayed, takes_idempotency_key
from web.api.schemas import examples
from web.api.schemas.signals import SendSignalSchema, SentSignalSchema, SignalPageSchema, SignalQuerySchema
from web.auth import current_user, requires
from web.context import service
from workflow_service.domain.commands import SendSignal
from workflow_service.domain.signal import Signal

blueprint = Blueprint("signals", __name__, url_prefix="/api/v1/executions", description="Tell what is waited for.")


@blueprint.route("/<id:executionId>/signals/<id:name>")
class SentSignals(MethodView):
    """The signals of a name."""

    @requires("executions:start")
    @blueprint.operation("sendSignal", 400, 404, 409, 413, 415, 422)
    @takes_idempotency_key
    @blueprint.optional_body(SendSignalSchema, examples.SEND_SIGNAL)
    @blueprint.answer(202, SentSignalSchema, example=examples.SENT_SIGNAL)
    @blueprint.or_answer(200, SentSignalSchema, "An earlier request with the same Idempotency-Key sent it.",
                         headers=REPLAYED)
    def post(self, wanted: dict[str, Any], execution_id: str, name: str) -> tuple[Signal, int, dict[str, str]]:
        """Send a signal to an execution; it is kept until a block takes it."""
        command = SendSignal(execution_id=execution_id, name=name, idempotency_key=idempotency_key(), **wanted)
        sent = service().engine.signals.send(current_user(), command)
        return sent.signal, HTTPStatus.OK if sent.replayed else HTTPStatus.ACCEPTED, replayed(sent.replayed)


@blueprint.route("/<id:executionId>/signals")
class Signals(MethodView):
    """All signals of an execution."""

    @requires("executions:read")
    @blueprint.operation("listSignals", 404)
    @blueprint.query(SignalQuerySchema)
    @blueprint.answer(200, SignalPageSchema, example=examples.SIGNALS)
    def get(self, wanted: dict[str, Any], execution_id: str) -> dict[str, Any]:
        """List the signals that were sent to an execution, the oldest first."""
        found, total = service().engine.signals.page(current_user(), execution_id, **wanted)
        return {"signals": found, "total": total}
