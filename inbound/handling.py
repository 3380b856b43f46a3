"""What becomes of one message: it is done, it is set aside with a reason, or it has to wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from inbound.api import Answer, Api
from inbound.inbox import Delivery
from inbound.messages import InboundMessage, read_message
from inbound.rejections import rejection
from workflow_service.domain.errors import Invalid, Issue, Unavailable

MOST_DELIVERIES = 10
"""How often a message is looked at; one that ends each process that has it must not go on for ever."""

_log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Handling:
    """Handles messages one by one."""

    def __init__(self, api: Api, now: Callable[[], datetime] = _now) -> None:
        """Let this API do what messages want."""
        self._api = api
        self._now = now

    def handle(self, delivery: Delivery) -> bytes | None:
        """Do what a message wants; a second time it changes nothing more.

        Returns:
            None if it is done and stored; otherwise what is to be kept of it where it is set aside.

        Raises:
            Unavailable: something is away that is needed; nothing is said about the message.
        """
        structlog.contextvars.clear_contextvars()  # of the message before
        message: InboundMessage | None = None
        try:
            _check_deliveries(delivery)
            message = read_message(delivery.raw)
            answer = self._api.carry_out(message)
        except Exception as error:  # whatever is wrong with one message must not keep the others from being served
            answer = self._api.refusal(error)
        if answer.is_to_be_asked_again:
            raise Unavailable("Something that the message needs")
        _tell(message, answer)
        return None if answer.is_done else rejection(delivery.raw, message, answer.body, self._now())


def _check_deliveries(delivery: Delivery) -> None:
    if delivery.deliveries > MOST_DELIVERIES:
        raise Invalid("The message was given back too often.", [Issue(
            path="", code="delivered_too_often", message=f"It was delivered {delivery.deliveries} times.")])


def _tell(message: InboundMessage | None, answer: Answer) -> None:
    told = {} if message is None else {"message_type": message.type, "message_id": message.id}
    if answer.is_done:
        _log.info("message_done", **told)
    else:
        _log.warning("message_rejected", error=answer.body["error"], **told)
