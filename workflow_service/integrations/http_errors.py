"""The ways in which a call of another service can fail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

_PASSING = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class CallFailed(Exception):
    """Root of the errors of ``JsonClient``; messages name the service, never its address.

    Attributes:
        is_worth_repeating: whether the same call may well succeed a moment later.
    """

    is_worth_repeating = False


class Unreachable(CallFailed):
    """Raised when the connection can't be made, or breaks before the answer is there."""

    is_worth_repeating = True


class TimedOut(CallFailed):
    """Raised when the answer is not complete in time; whether the service did what was asked is not known."""


class BadAnswer(CallFailed):
    """Raised when the answer is not what HTTP, JSON or our limits allow."""


class TruncatedAnswer(BadAnswer):
    """Raised when the answer ends too early."""

    is_worth_repeating = True


class Unsendable(CallFailed):
    """Raised when the request can't be written down."""


class Refused(CallFailed):
    """Raised when the service answers with another status than a good one.

    Attributes:
        status: the HTTP status.
        error: the JSON object that says why, with a text ``code``; None if there is none.
        retry_after: how long the header ``Retry-After`` asks us to wait; None if it doesn't.
    """

    def __init__(self, message: str, *, status: int, error: Mapping[str, Any] | None,
                 retry_after: timedelta | None) -> None:
        """Keep what the service said."""
        super().__init__(message)
        self.status = status
        self.error = error
        self.retry_after = retry_after
        # with a body the service itself has spoken; without one it was something on the way to it
        self.is_worth_repeating = error is None and status in _PASSING
