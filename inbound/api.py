"""The API within this process: a message is handed to it as a request, so that there is one place of rights and rules.

Nothing listens on any port. Tokens, roles, schemas, limits, errors and the lines of the log are those of REST, because
it is the same code that is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, g
from werkzeug.test import EnvironBuilder

from inbound.messages import RESPOND_TO_APPROVAL, SEND_SIGNAL, InboundMessage
from web.errors import answer_service_error, answer_unknown_error
from workflow_service.domain.errors import WorkflowServiceError
from workflow_service.integrations import json_text

_PREFIX = "/api/v1"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API said."""

    status: int
    body: Any
    user: str | None = None
    """Who asked, if the token could be trusted."""

    @property
    def is_done(self) -> bool:
        """Say whether what was asked for is done and stored."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_to_be_asked_again(self) -> bool:
        """Say whether something was away that is needed."""
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE


class Api:
    """Asks the API in the name of the senders of messages."""

    def __init__(self, app: Flask) -> None:
        """Ask this application, in this process."""
        self._app = app

    def carry_out(self, message: InboundMessage) -> Answer:
        """Do what a message wants, as often as it comes."""
        if message.type == SEND_SIGNAL:
            return self._ask(message, "POST", f"/executions/{message.execution_id}/signals/{message.signal}",
                             message.body)
        if message.type != RESPOND_TO_APPROVAL:
            return self._ask(message, "POST", "/executions", message.body)
        answer = self._ask(message, "POST", f"/approvals/{message.approval_id}/respond", message.body)
        if answer.status != HTTPStatus.CONFLICT:
            return answer
        found = self._ask(message, "GET", f"/approvals/{message.approval_id}")
        if found.is_to_be_asked_again or _is_repeated(message, answer.user, found):
            return found
        return answer

    def refusal(self, error: Exception) -> Answer:
        """Return how the API answers an error that was found before it could be asked."""
        with self._app.app_context():
            g.request_id = uuid4().hex
            structlog.contextvars.bind_contextvars(request_id=g.request_id)
            if isinstance(error, WorkflowServiceError):
                response = answer_service_error(error)
            else:
                response = answer_unknown_error(error)
            return Answer(status=response.status_code, body=response.get_json())

    def _ask(self, message: InboundMessage, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        headers = [("Authorization", f"Bearer {message.token}"), ("Idempotency-Key", message.id)]
        data = None if body is None else json_text.encode(body)
        request = EnvironBuilder(path=_PREFIX + path, method=method, headers=headers, data=data,
                                 content_type=None if data is None else "application/json")
        with self._app.request_context(request.get_environ()):
            response = self._app.full_dispatch_request()
            user = g.user.name if "user" in g else None
            return Answer(status=response.status_code, body=response.get_json(), user=user)


def _is_repeated(message: InboundMessage, user: str | None, found: Answer) -> bool:
    """Say whether an approval was decided by this very answer, which came before."""
    if not found.is_done or user is None or found.body["approver"] != user:
        return False
    said = (message.body.get("approved"), message.body.get("response", {}), message.body.get("comments"))
    return said == (found.body["status"] == "approved", found.body["response"], found.body["comments"])
